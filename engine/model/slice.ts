import type { EpochMs, Offset } from './record.ts'

export interface Range {
  /** Index into the task's inputs. */
  readonly input: number
  readonly from: Offset
  readonly to: Offset
}

/** Everything a task's step may depend on beside its state. */
export interface Slice {
  readonly seq: number
  /** At most one a input, by input; empty for a tick. */
  readonly ranges: readonly Range[]
  /** The append-time clock P reaches at the end of this slice; never goes back. */
  readonly processing: EpochMs
  /** Inputs that do not hold the watermark back, ascending. */
  readonly idle: readonly number[]
  /** Forced watermark and processing time; null stands for +Infinity: no more input comes. */
  readonly advanceTo?: { readonly watermark: EpochMs | null; readonly processing: EpochMs | null }
  /** Neither watermark nor processing time goes beyond these: those of the version that owns the outputs, which this one trails. */
  readonly cap?: { readonly watermark: EpochMs | null; readonly processing: EpochMs }
  /** The task stands still for the cut-over of this id: nothing is taken, no time passes. */
  readonly hold?: string
  /** What is due by these times, and no more, is given, whatever the inputs say: other tasks of the version have come to them, and it is to stand still. */
  readonly level?: { readonly watermark: EpochMs | null; readonly processing: EpochMs }
  /** The results are those the former owner has published: they stay private, also those left for the next slices. */
  readonly align?: true
  /** Records to pass over (dead-lettered), decided by the operator of the job. */
  readonly skip?: readonly { readonly input: number; readonly offset: Offset }[]
}

/** Counts since the beginning of the job. Of source records, each once: in = processed + skipped + deadLettered. */
export interface Totals {
  in: number
  processed: number
  skipped: number
  deadLettered: number
  /** Of records that stand at no place of a source: what windows, timers and earlier stages gave, and what waited for its time. */
  derived: { skipped: number; deadLettered: number }
  late: { late: number; idle: number; clock: number }
  /** By topic. */
  out: Record<string, number>
}

/** One record of a task's journal: what was run and what came of it. */
export interface JournalRecord {
  readonly slice: Slice
  /** Of the task after the slice; null before the first, 'Infinity' at the end of input. */
  readonly watermark: EpochMs | null | 'Infinity'
  /** Count and chained checksum of each range's original blocks. */
  readonly input: readonly { readonly count: number; readonly digest: string }[]
  /** Of all outputs, without where they were routed. */
  readonly output: { readonly count: number; readonly digest: string }
  readonly totals: Totals
  /** What is due by time is not all emitted: the next slice goes on before more input. */
  readonly due: boolean
  /** The control log was read up to here. */
  readonly control: Offset
  readonly semantics: number
  readonly node: string
  readonly hash: string
}
