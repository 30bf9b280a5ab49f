/** Every metric Reprise gives: names carry their unit; labels have few values (never a key). `job` is shown as `reprise_job`, since a scrape adds a `job` of its own. */
export interface MetricRow {
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels: readonly string[]
  readonly buckets?: readonly number[]
}

const durations = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

const table = {
  reprise_build_info: { type: 'gauge', help: 'Always 1; the versions are in the labels', labels: ['version', 'node_version'] },
  reprise_records_in_total: {
    type: 'counter',
    help: 'Source records taken in; equals processed + skipped + dead-lettered',
    labels: ['job', 'version'],
  },
  reprise_records_processed_total: { type: 'counter', help: 'Source records that went through the job', labels: ['job', 'version'] },
  reprise_records_skipped_total: { type: 'counter', help: 'Source records passed over by policy skip', labels: ['job', 'version'] },
  reprise_dlq_records_total: { type: 'counter', help: 'Source records written to the dead letters', labels: ['job', 'version'] },
  reprise_derived_skipped_total: {
    type: 'counter',
    help: 'Results of windows, timers and earlier stages passed over by policy skip',
    labels: ['job', 'version'],
  },
  reprise_derived_dlq_records_total: {
    type: 'counter',
    help: 'Results of windows, timers and earlier stages written to the dead letters',
    labels: ['job', 'version'],
  },
  reprise_records_late_total: {
    type: 'counter',
    help: 'Records that came too late, by reason: late, idle, clock',
    labels: ['job', 'version', 'reason'],
  },
  reprise_records_out_total: { type: 'counter', help: 'Records written, by topic', labels: ['job', 'version', 'topic'] },
  reprise_commits_total: { type: 'counter', help: 'Slices committed', labels: ['job', 'version'] },
  reprise_commit_duration_seconds: {
    type: 'histogram',
    help: 'From handing a commit to the log until it was durable',
    labels: ['job', 'version'],
    buckets: durations,
  },
  reprise_watermark_timestamp_seconds: { type: 'gauge', help: 'Event time up to which results are complete', labels: ['job', 'version'] },
  reprise_log_scrubbed_bytes_total: { type: 'counter', help: 'Bytes of the log that were read and checked in the background', labels: [] },
  reprise_log_faults_total: {
    type: 'counter',
    help: 'Damaged places of the log found in the background; counted again in each round',
    labels: [],
  },
} as const satisfies Record<string, MetricRow>

export const metricTable: Readonly<Record<string, MetricRow>> = table

/** As it stands in the exposition. */
export const shownLabel = (label: string): string => (label === 'job' ? 'reprise_job' : label)
