import type { EpochMs, Key } from '../../engine/model/record.ts'
import type { RecordInfo } from '../../engine/model/topology.ts'
import type { Duration } from '../duration.ts'
import type { KeyedStream, StepOptions } from '../stream.ts'
import type { Nothing } from '../sync.ts'
import type { Topic } from '../topic.ts'
import type { StateOf, StateSpecs } from './state-spec.ts'

/** Names the type of an output that becomes a stream. */
export interface OutputType<out T> {
  readonly kind: 'output'
  /** For the compiler only; never there. */
  readonly valueType?: T
}

/** The type of what a `process` emits: `output: output<Alert>()`. */
export function output<T>(): OutputType<T> {
  return { kind: 'output' }
}

/** Outputs beside the main one, by name: a stream (`output<Alert>()`), or a topic they are written to. */
export type SideOutputs = Readonly<Record<string, OutputType<unknown> | Topic<unknown, never>>>

type SideValue<O> = O extends OutputType<infer T> ? T : O extends { readonly accepts?: (value: infer I) => void } ? I : never
export type StreamPort<Sides> = { [Port in keyof Sides]: Sides[Port] extends { readonly kind: 'output' } ? Port : never }[keyof Sides]

/**
 * A function with state, called for each record and each timer of a key.
 *
 * Order `event-time` (default): records wait until time has passed them, and records and timers of a key come in one order, by time; a timer comes
 * before the records of its time, records of one time come by partition and offset. So the results are a function of the log.
 * `allowedLateness` makes everything wait so much longer; a record is late when event time + allowedLateness is below its stamp.
 * Order `arrival`: records come as they come, timers as time passes them; the job is marked as dependent on the order of arrival.
 * What is emitted has the time of the record or timer at hand. Values that are taken back are not delivered; if they still wait, they are removed.
 */
export interface ProcessDefinition<K extends Key, T, S extends StateSpecs, Out, Sides extends SideOutputs> extends StepOptions {
  /** What is kept for each key, by name: `{ total: value<number>(), seen: map<string, number>({ ttl: '1d' }) }`. */
  readonly state?: S
  /** The type of what `emit` takes: `output<Row>()`. Without it nothing can be emitted. */
  readonly output?: OutputType<Out>
  readonly sideOutputs?: Sides
  readonly order?: 'event-time' | 'arrival'
  /** Default 0. */
  readonly allowedLateness?: Duration
  /** Where late records go; without it: the job's late topic. */
  readonly late?: Topic<unknown, T>
  /** When it throws and the policy goes on, what it did to state before stays done. */
  onRecord(context: ProcessContext<K, S, Out, Sides>, value: T): Nothing
  onTimer?(context: ProcessContext<K, S, Out, Sides>, timer: Timer): Nothing
  /** For timers by processing time (the log's append time); needed to set one. */
  onProcessingTimer?(context: ProcessContext<K, S, Out, Sides>, timer: Timer): Nothing
}

export interface Timer {
  /** The time it was set for; by event time at least the time of the record that set it. */
  readonly at: EpochMs
  readonly name: string
  readonly payload: unknown
}

export interface TimerOptions {
  /** Tells timers of one key and time apart. Default ''. */
  readonly name?: string
  /** Given to the timer's function; what state may hold. */
  readonly payload?: unknown
}

/** What the functions of a `process` work with. Valid during the call only. */
export interface ProcessContext<K extends Key, S extends StateSpecs, Out, Sides extends SideOutputs> {
  readonly key: K
  /** Event time of the record at hand, or the time of the timer. */
  readonly time: EpochMs
  /**
   * Everything before this was delivered. Ordered by event time: the time at hand, so that results don't depend on how fast records come;
   * by arrival: the task's watermark.
   */
  readonly watermark: EpochMs
  /** The record at hand; for a timer only key, event time and append time. */
  readonly record: RecordInfo
  readonly state: StateOf<S>
  emit(value: Out): void
  emitTo<Port extends keyof Sides & string>(port: Port, value: SideValue<Sides[Port]>): void
  /**
   * Calls `onTimer` for this key when time passes `at`. The same key, time and name again: one timer, with the later payload. In the past: at
   * once, with the present as its time. Set by `onTimer`, it must be later than the one at hand; when input is complete, such a timer fires
   * only up to the last watermark, so that a timer that sets itself again comes to an end.
   */
  setTimer(at: EpochMs, options?: TimerOptions): void
  deleteTimer(at: EpochMs, name?: string): void
  /** As `setTimer`, by the append-time clock; calls `onProcessingTimer`. */
  setProcessingTimer(at: EpochMs, options?: TimerOptions): void
  deleteProcessingTimer(at: EpochMs, name?: string): void
}

export interface ProcessResults<out K extends Key, out Out, out Sides> extends KeyedStream<K, Out> {
  /** The values of a side output that is a stream. */
  sideOutput<Port extends StreamPort<Sides>>(port: Port): KeyedStream<K, SideValue<Sides[Port]>>
}
