import type { Key } from '../engine/model/record.ts'
import type { BadRecordPolicy, RecordInfo } from '../engine/model/topology.ts'
import type { Aggregators } from './aggregates/aggregator.ts'
import type { Duration } from './duration.ts'
import type { ProcessDefinition, ProcessResults, SideOutputs } from './process/definition.ts'
import type { StateSpecs } from './process/state-spec.ts'
import type { Sync } from './sync.ts'
import type { Topic } from './topic.ts'
import type { WindowInfo, WindowSpec } from './windows/spec.ts'

export interface StepOptions {
  /** What becomes of a record for which a function of this step throws. Default: what the job says, else `fail`. */
  readonly onBad?: BadRecordPolicy
}

/** What every stream of values has. The job's functions are called once for each record; `record` describes it and is valid during the call only. */
export interface AnyStream<out T> {
  /** Any number of values for each value. */
  flatMap<U>(expand: (value: T, record: RecordInfo) => Iterable<Sync<U>>, options?: StepOptions): Stream<U>
  /** Shows each value to a function; for tests and logs. */
  peek<R>(look: (value: T, record: RecordInfo) => Sync<R>, options?: StepOptions): Stream<T>
  /** The values of all streams as they come. */
  merge<U>(...others: readonly AnyStream<U>[]): Stream<T | U>
  /** Sends each value to the first branch whose function is true for it, else to `otherwise`. */
  split<B extends Branches<T>>(
    branches: B,
    options?: StepOptions,
  ): { readonly [Name in keyof B]: Stream<Taken<T, B[Name]>> } & { readonly otherwise: Stream<T> }
  /**
   * Groups by another key. With more than one task the records go through an exchange of this name to the task of their key: values have to be
   * plain data (STATE_VALUE_UNSUPPORTED; in tests also with one task). Half a surrogate pair in a key counts as U+FFFD, as UTF-8 has it.
   */
  keyBy<K extends Key>(name: string, key: (value: T, record: RecordInfo) => K, options?: StepOptions): KeyedStream<K, T>
  /** Writes each value to a topic, which must take values of this type. */
  to(topic: Topic<unknown, T>, options?: StepOptions): void
}

export interface Stream<out T> extends AnyStream<T> {
  /** One value for each value. */
  map<U>(map: (value: T, record: RecordInfo) => Sync<U>, options?: StepOptions): Stream<U>
  /** Only the values the function is true for; a type guard narrows the stream's type. */
  filter<S extends T>(keep: (value: T, record: RecordInfo) => value is S, options?: StepOptions): Stream<S>
  filter(keep: (value: T, record: RecordInfo) => boolean, options?: StepOptions): Stream<T>
}

/** What a stream that is grouped by key has more: everything with state. None of the stateless steps changes the key. */
interface AnyKeyedStream<out K extends Key, out T> extends AnyStream<T> {
  flatMap<U>(expand: (value: T, record: RecordInfo) => Iterable<Sync<U>>, options?: StepOptions): KeyedStream<K, U>
  peek<R>(look: (value: T, record: RecordInfo) => Sync<R>, options?: StepOptions): KeyedStream<K, T>
  /** The values of all streams as they come; keyed if all of them are. */
  merge<U>(...others: readonly AnyKeyedStream<K, U>[]): KeyedStream<K, T | U>
  merge<U>(...others: readonly AnyStream<U>[]): Stream<T | U>
  split<B extends Branches<T>>(
    branches: B,
    options?: StepOptions,
  ): { readonly [Name in keyof B]: KeyedStream<K, Taken<T, B[Name]>> } & { readonly otherwise: KeyedStream<K, T> }
  /** A function of your own with state and timers. */
  process<S extends StateSpecs = NoNames, Out = never, Sides extends SideOutputs = NoNames>(
    name: string,
    definition: ProcessDefinition<K, T, S, Out, Sides>,
  ): ProcessResults<K, Out, Sides>
  /** The latest value of each key, by (event time, partition, offset); null deletes. Kept in a store of this name. */
  table(name: string, options?: TableOptions): Table<K, Exclude<T, null>>
  /** Records of one key that belong together in time; what becomes of them says `aggregate`. */
  window(name: string, spec: WindowSpec<Topic<unknown, T> | never>, options?: StepOptions): WindowedStream<K, T>
}

type NoNames = Readonly<Record<never, never>>

export interface KeyedStream<out K extends Key, out T> extends AnyKeyedStream<K, T> {
  map<U>(map: (value: T, record: RecordInfo) => Sync<U>, options?: StepOptions): KeyedStream<K, U>
  filter<S extends T>(keep: (value: T, record: RecordInfo) => value is S, options?: StepOptions): KeyedStream<K, S>
  filter(keep: (value: T, record: RecordInfo) => boolean, options?: StepOptions): KeyedStream<K, T>
}

export interface WindowedStream<out K extends Key, out T> {
  /** One row for each key and window: a field for each aggregator. */
  aggregate<Row extends object>(aggregators: Aggregators<T, Row>): WindowResults<K, Row>
}

/** Rows of windows: functions of `map` and `filter` also get the window; to everything else they are plain rows. */
export interface WindowResults<out K extends Key, out Row> extends AnyKeyedStream<K, Row> {
  map<U>(map: (row: Row, window: WindowInfo<K>, record: RecordInfo) => Sync<U>, options?: StepOptions): KeyedStream<K, U>
  filter<S extends Row>(keep: (row: Row, window: WindowInfo<K>, record: RecordInfo) => row is S, options?: StepOptions): WindowResults<K, S>
  filter(keep: (row: Row, window: WindowInfo<K>, record: RecordInfo) => boolean, options?: StepOptions): WindowResults<K, Row>
}

/** The latest value of each key. */
export interface Table<out K extends Key, out V> {
  /** Of its store. */
  readonly name: string
  /** Each value that becomes the latest of its key, as it does; null when a row is deleted. */
  toStream(): KeyedStream<K, V | null>
}

export interface TableOptions extends StepOptions {
  /** A record that is older than this, in event time, than the deletion of its key may bring the row back. Default 1d. */
  readonly deletedFor?: Duration
}

export type Branches<T> = { readonly [name: string]: (value: T, record: RecordInfo) => boolean }

/** What a branch takes: narrowed where its function is a type guard. */
export type Taken<T, F> = F extends Guard<T, infer S> ? S : T

type Guard<T, S extends T> = (value: T, record: RecordInfo) => value is S
