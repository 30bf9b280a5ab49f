import type { EpochMs } from '../model/record.ts'
import type { JournalRecord, Totals } from '../model/slice.ts'
import type { Labels, Metrics } from '../ports/world.ts'

/** Tells the metrics what each committed slice added, and how checkpoints go. Names: deploy/observability. */
export class SliceMetrics {
  private readonly metrics: Metrics
  private readonly labels: Labels
  private before: Totals
  /** The checkpoint under way. */
  private cutting: { readonly seq: number; readonly at: number } | undefined = undefined

  /** @param recovered totals of slices that were told of in an earlier life. */
  constructor(metrics: Metrics, labels: Labels, recovered: Totals) {
    this.metrics = metrics
    this.labels = labels
    this.before = structuredClone(recovered)
  }

  /** A checkpoint of slice `seq` begins. @param at milliseconds that never go back, as in `checkpointed`. */
  cut(seq: number, at: number): void {
    this.cutting = { seq, at }
  }

  /** The newest checkpoint that is complete, looked at again and again. @param now see `cut`. @param time of the wall clock. */
  checkpointed(newest: number, now: number, time: EpochMs): void {
    if (this.cutting === undefined || newest < this.cutting.seq) return
    this.metrics.observe('reprise_checkpoint_duration_seconds', this.labels, (now - this.cutting.at) / 1000)
    this.metrics.set('reprise_checkpoint_last_success_timestamp_seconds', this.labels, time / 1000)
    this.cutting = undefined
  }

  committed({ totals, watermark }: JournalRecord, commitMs: number): void {
    const { metrics, labels, before } = this
    metrics.add('reprise_records_in_total', labels, totals.in - before.in)
    metrics.add('reprise_records_processed_total', labels, totals.processed - before.processed)
    metrics.add('reprise_records_skipped_total', labels, totals.skipped - before.skipped)
    metrics.add('reprise_dlq_records_total', labels, totals.deadLettered - before.deadLettered)
    metrics.add('reprise_derived_skipped_total', labels, totals.derived.skipped - before.derived.skipped)
    metrics.add('reprise_derived_dlq_records_total', labels, totals.derived.deadLettered - before.derived.deadLettered)
    for (const reason of ['late', 'idle', 'clock'] as const) {
      metrics.add('reprise_records_late_total', { ...labels, reason }, totals.late[reason] - before.late[reason])
    }
    for (const [topic, count] of Object.entries(totals.out)) {
      metrics.add('reprise_records_out_total', { ...labels, topic }, count - (before.out[topic] ?? 0))
    }
    metrics.add('reprise_commits_total', labels, 1)
    metrics.observe('reprise_commit_duration_seconds', labels, commitMs / 1000)
    if (typeof watermark === 'number') metrics.set('reprise_watermark_timestamp_seconds', labels, watermark / 1000)
    this.before = totals
  }
}
