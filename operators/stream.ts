import type { Key } from '../engine/model/record.ts'
import type { BadRecordPolicy, RecordInfo } from '../engine/model/topology.ts'
import type { OperatorFactory } from '../engine/task/operator.ts'
import { recordInfo } from '../engine/task/record-info.ts'
import type { Aggregators } from './aggregates/aggregator.ts'
import type { Graph } from './graph.ts'
import { filterOperator, flatMapOperator, mapOperator, mergeOperator, peekOperator } from './stateless.ts'
import type { Topic } from './topic.ts'
import { describeWindow, updates, type WindowInfo, type WindowOutput, type WindowSpec } from './windows/spec.ts'
import { canRetract, windowOperator, windowStores } from './windows/window-operator.ts'

export interface StepOptions {
  /** What becomes of a record for which the function throws. Default: the job's. */
  readonly onBad?: BadRecordPolicy
  /** For descriptions and metrics. */
  readonly name?: string
}

/** Functions get the value and what the log says of its record. They are synchronous: a promise is refused. */
type Fn<T, R> = (value: T, record: RecordInfo) => R extends PromiseLike<unknown> ? never : R

/** Where a stream stands in the graph, and whether its values may be taken back. */
interface Place {
  readonly graph: Graph
  readonly id: number
  readonly retracts: boolean
}

/** Records on their way through a job; immutable: each method gives a new stream. */
export class Stream<out T> {
  protected readonly place: Place

  constructor(place: Place) {
    this.place = place
  }

  /** One value for each. */
  map<R>(fn: Fn<T, R>, options: StepOptions = {}): Stream<R> {
    return this.stateless('map', mapOperator(fn as never), options)
  }

  /** Those for which the function is true. */
  filter<S extends T>(fn: (value: T, record: RecordInfo) => value is S, options?: StepOptions): Stream<S>
  filter(fn: (value: T, record: RecordInfo) => boolean, options?: StepOptions): Stream<T>
  filter(fn: (value: T, record: RecordInfo) => boolean, options: StepOptions = {}): Stream<T> {
    return this.stateless('filter', filterOperator(fn as never), options)
  }

  /** None, one or several values for each. */
  flatMap<R>(fn: (value: T, record: RecordInfo) => Iterable<R>, options: StepOptions = {}): Stream<R> {
    return this.stateless('flatMap', flatMapOperator(fn as never), options)
  }

  /** Shows each value to the function and passes it on. */
  peek(fn: (value: T, record: RecordInfo) => void, options: StepOptions = {}): Stream<T> {
    return this.stateless('peek', peekOperator(fn as never), options)
  }

  /** This stream and others together. */
  merge<U>(...others: readonly Stream<U>[]): Stream<T | U> {
    const { graph } = this.place
    const all: readonly Stream<unknown>[] = [this, ...others]
    const id = graph.add({
      kind: 'operator', type: 'merge', name: graph.nameFor('merge'), detail: '', inputs: all.map((stream) => stream.place.id), make: mergeOperator,
      stores: [], orderDependent: false, processingTime: false, sideOutputs: {},
    })
    return new Stream({ graph, id, retracts: all.some((stream) => stream.place.retracts) })
  }

  /** A stream for each branch: of the values for which its function is true. */
  split<B extends Record<string, (value: T, record: RecordInfo) => boolean>>(branches: B): { readonly [Name in keyof B]: Stream<T> } {
    const streams = Object.entries(branches).map(([name, fn]) => [name, this.stateless('filter', filterOperator(fn as never), {}, name)])
    return Object.fromEntries(streams)
  }

  /** Groups by key; with parallelism the records move to the task of their key. */
  keyBy<K extends Key>(name: string, key: Fn<T, K>, options: Omit<StepOptions, 'name'> = {}): KeyedStream<K, T> {
    const { graph, id: input, retracts } = this.place
    const id = graph.add({ kind: 'keyBy', name, detail: '', input, key: key as never, onBad: options.onBad })
    return new KeyedStream({ graph, id, retracts })
  }

  /** Writes every value to the topic. */
  to(topic: Topic<unknown, T>, options: StepOptions = {}): void {
    const { graph, id: input } = this.place
    const { definition } = topic
    graph.add({ kind: 'sink', name: options.name ?? `to-${definition.name}`.slice(0, 64).replaceAll('.', '-'), detail: definition.kind, input, topic: definition, onBad: options.onBad })
  }

  protected stateless<R>(type: string, make: OperatorFactory, { onBad, name }: StepOptions, detail = ''): Stream<R> {
    const { graph, id: input, retracts } = this.place
    const id = graph.add({
      kind: 'operator', type, name: name ?? graph.nameFor(type), detail, inputs: [input], make,
      stores: [], orderDependent: false, processingTime: false, sideOutputs: {}, onBad,
    })
    return new Stream({ graph, id, retracts })
  }
}

/** A stream whose records are grouped by key. */
export class KeyedStream<K extends Key, out T> extends Stream<T> {
  /** Groups each key's records in time. */
  window<LateTopic extends Topic<unknown, T>>(name: string, spec: WindowSpec<LateTopic>): WindowedStream<K, T> {
    return new WindowedStream(this.place, name, spec)
  }
}

/** A keyed stream cut into windows. */
export class WindowedStream<K extends Key, out T> {
  private readonly place: Place
  private readonly name: string
  private readonly spec: WindowSpec<Topic<unknown, never>>

  constructor(place: Place, name: string, spec: WindowSpec) {
    this.place = place
    this.name = name
    this.spec = spec as WindowSpec<Topic<unknown, never>>
  }

  /** One row for each window and key: a field for each aggregator, all in one pass. */
  aggregate<Row extends object>(aggregators: Aggregators<T, Row>, options: StepOptions = {}): WindowRows<K, Row> {
    const { graph, id: input, retracts } = this.place
    const { name, spec } = this
    if (retracts && !canRetract(spec, aggregators)) {
      throw graph.invalid(
        { operator: name, reason: 'its input is updated by late records, and it cannot take records back' },
        'use count, sum, avg or an aggregator with remove; or leave out allowedLateness before it',
      )
    }
    const fields = Object.entries(aggregators).map(([field, aggregator]) => `${field}: ${(aggregator as { type: string }).type}`)
    const id = graph.add({
      kind: 'operator', type: 'window', name, detail: `${describeWindow(spec)}; ${fields.join(', ')}`, inputs: [input],
      make: windowOperator(spec, aggregators, { retracts }),
      stores: windowStores(name, spec, { retracts }),
      orderDependent: false, processingTime: spec.time === 'processing',
      sideOutputs: spec.late === undefined ? {} : { late: spec.late.definition },
      onBad: options.onBad,
    })
    return new WindowRows({ graph, id, retracts: retracts || updates(spec) })
  }
}

/** Rows of windows; functions get the window beside the row. Emits WindowOutputs (windows/spec.ts). */
export class WindowRows<K extends Key, Row> {
  private readonly place: Place

  constructor(place: Place) {
    this.place = place
  }

  /** One value for each row. */
  map<R>(fn: (row: Row, window: WindowInfo<K>, record: RecordInfo) => R extends PromiseLike<unknown> ? never : R, options: StepOptions = {}): Stream<R> {
    const { graph, id: input, retracts } = this.place
    const make: OperatorFactory = (context) => {
      const info = recordInfo(context.moment)
      const call = fn as (row: unknown, window: unknown, record: RecordInfo) => unknown
      return {
        process(value) {
          const { row, window } = value as WindowOutput<unknown>
          try {
            context.emit(call(row, window, info))
          } catch (error) {
            context.bad(row, error)
          }
        },
      }
    }
    const id = graph.add({
      kind: 'operator', type: 'map', name: options.name ?? graph.nameFor('map'), detail: '', inputs: [input], make,
      stores: [], orderDependent: false, processingTime: false, sideOutputs: {}, onBad: options.onBad,
    })
    return new Stream({ graph, id, retracts })
  }

  /** The rows alone. */
  rows(): Stream<Row> {
    return this.map((row) => row as never)
  }
}
