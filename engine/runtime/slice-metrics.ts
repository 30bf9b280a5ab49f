import type { JournalRecord } from '../model/slice.ts'
import type { Labels, Metrics } from '../ports/world.ts'

/** What one committed slice adds to the metrics. Names: deploy/observability. */
export function reportSlice(metrics: Metrics, labels: Labels, journal: JournalRecord, commitMs: number): void {
  const read = journal.input.reduce((sum, { count }) => sum + count, 0)
  metrics.add('reprise_slice_records_total', labels, read)
  metrics.add('reprise_commits_total', labels, 1)
  metrics.observe('reprise_commit_duration_seconds', labels, commitMs / 1000)
  if (typeof journal.watermark === 'number') metrics.set('reprise_watermark_timestamp_seconds', labels, journal.watermark / 1000)
}
