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
  reprise_checkpoint_duration_seconds: {
    type: 'histogram',
    help: 'From the cut of a checkpoint until it was complete',
    labels: ['job', 'version'],
    buckets: durations,
  },
  reprise_checkpoint_last_success_timestamp_seconds: {
    type: 'gauge',
    help: 'When the last checkpoint was complete',
    labels: ['job', 'version'],
  },
  reprise_watermark_timestamp_seconds: { type: 'gauge', help: 'Event time up to which results are complete', labels: ['job', 'version'] },
  reprise_job_version_active: {
    type: 'gauge',
    help: 'Is 1 if it publishes, 0 for every other version that runs',
    labels: ['job', 'version'],
  },
  reprise_job_version_info: { type: 'gauge', help: 'Is 1 for the role it has, else 0', labels: ['job', 'version', 'role'] },
  reprise_version_health: {
    type: 'gauge',
    help: 'Is 1 for the health it has: running, paused, stopped',
    labels: ['job', 'version', 'health'],
  },
  reprise_input_lag_records: {
    type: 'gauge',
    help: 'Records of a source partition that wait for the version',
    labels: ['job', 'version', 'topic', 'partition'],
  },
  reprise_input_lag_seconds: {
    type: 'gauge',
    help: 'How long the oldest record that waits has been in the log; 0 when nothing waits',
    labels: ['job', 'version', 'topic', 'partition'],
  },
  reprise_input_current_offset: {
    type: 'gauge',
    help: 'Next offset the version takes',
    labels: ['job', 'version', 'topic', 'partition'],
  },
  reprise_input_log_end_offset: {
    type: 'gauge',
    help: 'One past the last record there is',
    labels: ['job', 'version', 'topic', 'partition'],
  },
  reprise_replay_progress_ratio: { type: 'gauge', help: 'Part of the history that was taken, 0 to 1', labels: ['job', 'version'] },
  reprise_replay_remaining_records: { type: 'gauge', help: 'Records that are to be taken', labels: ['job', 'version'] },
  reprise_replay_rate_records_per_second: { type: 'gauge', help: 'Records taken a second', labels: ['job', 'version'] },
  reprise_replay_eta_seconds: {
    type: 'gauge',
    help: 'Time until it has caught up; NaN when that is not known',
    labels: ['job', 'version'],
  },
  reprise_replay_caught_up: {
    type: 'gauge',
    help: 'Is 1 when it is within its catch-up policy for as long as that asks',
    labels: ['job', 'version'],
  },
  reprise_replay_throttled_per_second: {
    type: 'gauge',
    help: 'Records a second it is held back to for the version that publishes; NaN when it is not',
    labels: ['job', 'version'],
  },
  reprise_gate_pass: { type: 'gauge', help: 'Is 1 when this condition of a promotion is met', labels: ['job', 'version', 'gate'] },
  reprise_cutovers_total: {
    type: 'counter',
    help: 'Attempts to hand the public topics over, by what came of them: done, aborted',
    labels: ['job', 'result'],
  },
  reprise_cutover_publication_gap_seconds: {
    type: 'histogram',
    help: 'How long the version that published stood still at most',
    labels: ['job'],
    buckets: durations,
  },
  reprise_control_offset: { type: 'gauge', help: 'Decisions made about the job so far', labels: ['job'] },
  reprise_version_heap_bytes: { type: 'gauge', help: "Heap of the version's thread", labels: ['job', 'version'] },
  reprise_event_loop_delay_seconds: { type: 'gauge', help: "Longest delay of the server's event loop in the last second", labels: [] },
  reprise_api_requests_total: { type: 'counter', help: 'Requests answered', labels: ['method', 'route', 'status'] },
  reprise_auth_failures_total: {
    type: 'counter',
    help: 'Calls that were refused, by reason: unauthenticated, forbidden',
    labels: ['reason'],
  },
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
