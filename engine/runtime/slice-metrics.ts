import { knownCode } from '../errors.ts'
import type { EpochMs } from '../model/record.ts'
import type { JournalRecord, Totals } from '../model/slice.ts'
import type { Labels, Metrics } from '../ports/world.ts'
import type { InputPlan } from './plan.ts'

/** What was measured of a slice whose commit is acknowledged, beside what its journal record says. */
export interface SliceMeasures {
  /** How long the task ran it. */
  readonly runMs: number
  /** From handing its commit to the log until that was durable. */
  readonly commitMs: number
  /** From the append of the oldest source record it took until the acknowledgement; undefined: it took none, or what it gave is not published. */
  readonly latencyMs: number | undefined
  /** When the commit was acknowledged, by the wall clock. */
  readonly at: EpochMs
  /** Records that failed, by code. */
  readonly faults: ReadonlyMap<string, number>
}

const lateReasons = ['late', 'idle', 'clock'] as const

/** Tells the metrics what each committed slice added, and what went wrong. Once a slice, never once a record. Names: deploy/observability. */
export class SliceMetrics {
  private readonly metrics: Metrics
  private readonly labels: Labels
  /** Where source records come from, by input; undefined: from an earlier stage. */
  private readonly topics: readonly (string | undefined)[]
  private before: Totals
  /** The checkpoint under way. */
  private cutting: { readonly seq: number; readonly at: number } | undefined = undefined
  /** When source records were processed last. Undefined: not yet in this life. */
  lastRecordAt: EpochMs | undefined = undefined

  /** @param recovered totals of slices that were told of in an earlier life. */
  constructor(metrics: Metrics, labels: Labels, recovered: Totals, inputs: readonly Pick<InputPlan, 'kind' | 'topic'>[]) {
    this.metrics = metrics
    this.labels = labels
    this.topics = inputs.map(({ kind, topic }) => (kind === 'exchange' ? undefined : topic))
    this.before = structuredClone(recovered)
    this.begin()
  }

  /** A life began, and has recovered after `ms`. */
  recovered(ms: number): void {
    this.metrics.observe('reprise_restore_duration_seconds', this.labels, ms / 1000)
  }

  /** A checkpoint of slice `seq` begins. @param at milliseconds that never go back, as in `checkpointed`. */
  cut(seq: number, at: number): void {
    this.cutting = { seq, at }
  }

  /** The newest checkpoint that is complete, looked at again and again. @param now see `cut`. */
  checkpointed(newest: number, now: number): void {
    if (this.cutting === undefined || newest < this.cutting.seq) return
    this.metrics.observe('reprise_checkpoint_duration_seconds', this.labels, (now - this.cutting.at) / 1000)
    this.cutting = undefined
  }

  /** For so long the next slice waited for room: see TaskLife.room. */
  waitedForRoom(ms: number): void {
    if (ms > 0) this.metrics.add('reprise_backpressured_seconds_total', this.labels, ms / 1000)
  }

  committed({ totals, slice, input }: JournalRecord, { runMs, commitMs, latencyMs, at, faults }: SliceMeasures): void {
    const { metrics, labels, before } = this
    if (totals.in > before.in) this.lastRecordAt = at
    slice.ranges.forEach((range, i) => {
      const topic = this.topics[range.input]
      if (topic !== undefined) metrics.add('reprise_records_in_total', { ...labels, topic }, input[i]!.count)
    })
    this.count('reprise_records_processed_total', totals.processed - before.processed)
    this.count('reprise_records_skipped_total', totals.skipped - before.skipped)
    this.count('reprise_dlq_records_total', totals.deadLettered - before.deadLettered)
    this.count('reprise_derived_skipped_total', totals.derived.skipped - before.derived.skipped)
    this.count('reprise_derived_dlq_records_total', totals.derived.deadLettered - before.derived.deadLettered)
    this.dropped('skipped', totals.skipped - before.skipped)
    this.dropped('derived_skipped', totals.derived.skipped - before.derived.skipped)
    for (const reason of lateReasons) {
      const late = totals.late[reason] - before.late[reason]
      if (late === 0) continue
      this.dropped(reason, late)
      metrics.add('reprise_records_late_total', { ...labels, reason }, late)
    }
    for (const [topic, count] of Object.entries(totals.out)) {
      const written = count - (before.out[topic] ?? 0)
      if (written > 0) metrics.add('reprise_records_out_total', { ...labels, topic }, written)
    }
    for (const [code, count] of faults) metrics.add('reprise_errors_total', { ...labels, code: knownCode(code) ?? 'OPERATOR_THREW' }, count)
    metrics.add('reprise_commits_total', labels, 1)
    metrics.observe('reprise_commit_duration_seconds', labels, commitMs / 1000)
    metrics.observe('reprise_processing_duration_seconds', labels, runMs / 1000)
    if (latencyMs !== undefined) metrics.observe('reprise_end_to_end_latency_seconds', labels, latencyMs / 1000)
    this.before = totals
  }

  /** @param code of the error; undefined: it has none. */
  commitFailed(code: string | undefined): void {
    this.metrics.add('reprise_commit_failures_total', { ...this.labels, code: code ?? 'none' }, 1)
  }

  /** Series that may grow are there from the start: a rise from nothing is seen by no rule. */
  private begin(): void {
    const { metrics, labels } = this
    for (const name of startingAtZero) metrics.add(name, labels, 0)
    for (const topic of new Set(this.topics)) if (topic !== undefined) metrics.add('reprise_records_in_total', { ...labels, topic }, 0)
    for (const reason of lateReasons) metrics.add('reprise_records_late_total', { ...labels, reason }, 0)
    for (const reason of ['skipped', 'derived_skipped', ...lateReasons])
      metrics.add('reprise_records_dropped_total', { ...labels, reason }, 0)
  }

  private count(name: string, by: number): void {
    if (by > 0) this.metrics.add(name, this.labels, by)
  }

  private dropped(reason: string, by: number): void {
    if (by > 0) this.metrics.add('reprise_records_dropped_total', { ...this.labels, reason }, by)
  }
}

const startingAtZero = [
  'reprise_records_processed_total',
  'reprise_records_skipped_total',
  'reprise_dlq_records_total',
  'reprise_derived_skipped_total',
  'reprise_derived_dlq_records_total',
  'reprise_commits_total',
  'reprise_backpressured_seconds_total',
]
