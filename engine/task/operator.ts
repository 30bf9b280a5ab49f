import type { EpochMs, Header, Key } from '../model/record.ts'
import type { Stores } from '../ports/state.ts'
import type { Budget } from './budget.ts'

/**
 * The record at hand: one object a task, changed in place. An operator that emits something else than the record it was given
 * sets the fields first and, inside `process`, puts them back afterwards (see `Moment.save` / `Moment.load`).
 */
export interface Moment {
  key: Key | undefined
  eventTime: EpochMs
  /** The watermark by which lateness is judged; travels with the record (design part 5). */
  stamp: EpochMs
  appendTime: EpochMs
  topic: string
  partition: number
  /** Of the source record that caused this one. */
  offset: number
  /**
   * Rank of the source record among those of equal event time: source ordinal, partition, offset in one number
   * (see `rankOf`). Order-sensitive operators sort by (eventTime, rank).
   */
  rank: number
  /** This value takes back one that was emitted before; the one that replaces it follows at once (or never, if it was filtered out). */
  retract: boolean
  /** Headers of the source record, read when asked for; none for results by time. */
  headers: () => readonly Header[]
}

export interface TaskTime {
  /** No record is to come with a stamp below this: what ended at or before it is complete. +Infinity when input is complete. */
  readonly watermark: EpochMs
  /** The append-time clock, design part 5. +Infinity when input is complete. */
  readonly processing: EpochMs
}

/** `late`: by its own stamp, or tried again after its time. `idle`: time went on without its partition. `clock`: by processing time. */
export type LateReason = 'late' | 'idle' | 'clock'

/** The stamp of a record that is tried again: below all others, so that only what is closed refuses it, and finite, unlike that of a partition's first record. */
export const retriedStamp = -Number.MAX_VALUE

/** Why a record that its stamp allows finds that event time has gone on. */
export function overtakenReason({ stamp }: Moment): LateReason {
  return stamp === retriedStamp ? 'late' : 'idle'
}

/** What the task gives an operator. */
export interface OperatorContext {
  readonly name: string
  readonly moment: Moment
  readonly stores: Stores
  /** Job code is watched: values of state that are changed without `put` are refused (API_NOT_ALLOWED). Slow; for tests. */
  readonly strict?: boolean
  /** Passes `value` on to every reader of this operator, described by `moment`. */
  emit(value: unknown): void
  /** Writes `value` to the side output of this name (a port of the node's `sideOutputs`), described by `moment`. */
  emitTo(port: string, value: unknown): void
  /** The record at hand came too late: counted by reason and written to the node's side output `late`, or to the job's late topic. */
  late(value: unknown, reason: LateReason): void
  /**
   * A function of the job threw while `value` was handled. By the node's policy this throws (fail), or counts the record at hand as skipped,
   * or writes it to the dead letters; when it returns, the operator goes on with the next record.
   */
  bad(value: unknown, error: unknown): void
  /**
   * What may still be emitted in this slice. `emit` and `emitTo` count it down at the task's outputs (may go below 0);
   * `advance` looks at it between results and returns false when it is used up.
   */
  readonly budget: Budget
  /** The time the task has come to, before the slice at hand: watermark and processing time. */
  readonly time: TaskTime
  /** Sets what job code sees as the present time (`Date.now()`): done by the task for each record, by operators for each timer. */
  present(time: EpochMs): void
}

/**
 * One operator of one task. Synchronous; a function of its calls alone: no clock, no randomness, no I/O.
 * User functions are called inside `process`/`advance`; what they throw is wrapped by the caller with the operator's name.
 */
export interface Operator {
  /** One record, described by `moment`. `input` is the index in the node's inputs. */
  process(value: unknown, input: number): void
  /**
   * The task's time moved to `time` (at the end of a slice). Fires what is due, in canonical order: (time, key).
   * @returns false when the budget was used up first: called again with the same or a later time before any more input is processed;
   * what it has to remember for that is in its stores or in `save`. Must be cheap when nothing is due.
   */
  advance?(time: TaskTime): boolean
  /** Small state beside the stores (cursors), structured like a store's value; undefined for none. Called at the end of a slice. */
  save?(): unknown
  /** Gives back what `save` returned; called once before anything else, only when there is something. Derived state is rebuilt from the stores here. */
  load?(saved: unknown): void
  /** After `load` (or at a fresh start): build what is derived from the stores. */
  open?(): void
  /**
   * The earliest processing time at which `advance` would fire something; Infinity for none. The loop cuts a slice without records when the
   * append-time clock gets there. Absent: never fires by processing time.
   */
  nextProcessingDue?(): EpochMs
}

export type OperatorFactory = (context: OperatorContext) => Operator

/**
 * Exact for source ordinals below 8, partitions below 1024, offsets below 2^40. Beyond that neighbours of one partition may share a rank: they come
 * in their order anyway.
 */
export function rankOf(source: number, partition: number, offset: number): number {
  return (source * 1024 + partition) * 2 ** 40 + offset
}
