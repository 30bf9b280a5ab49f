/** Every metric Reprise gives: names carry their unit; labels have few values (never a key). `job` is shown as `reprise_job`, since a scrape adds a `job` of its own. */
export interface MetricRow {
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels: readonly string[]
  readonly buckets?: readonly number[]
}

const durations = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const longDurations = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800]

const table = {
  reprise_build_info: { type: 'gauge', help: 'Always 1; the versions are in the labels', labels: ['version', 'node_version'] },
  reprise_records_in_total: {
    type: 'counter',
    help: "Source records taken in, by the topic they were taken from: a source, or the version's retry topic; the sum equals processed + skipped + dead-lettered",
    labels: ['job', 'version', 'topic'],
  },
  reprise_records_processed_total: {
    type: 'counter',
    help: 'Source records that went through the job without a failure in their turn: as far as an exchange, or a process that lets them wait for their time',
    labels: ['job', 'version'],
  },
  reprise_records_skipped_total: {
    type: 'counter',
    help: 'Source records passed over by policy skip in their turn',
    labels: ['job', 'version'],
  },
  reprise_dlq_records_total: {
    type: 'counter',
    help: 'Source records written to the dead letters in their turn',
    labels: ['job', 'version'],
  },
  reprise_derived_skipped_total: {
    type: 'counter',
    help: 'Derived records (results of windows and timers, records behind an exchange or that waited in a process) passed over by policy skip',
    labels: ['job', 'version'],
  },
  reprise_derived_dlq_records_total: {
    type: 'counter',
    help: 'Derived records (results of windows and timers, records behind an exchange or that waited in a process) written to the dead letters',
    labels: ['job', 'version'],
  },
  reprise_records_late_total: {
    type: 'counter',
    help: 'Records that came too late, by reason: late, idle, clock',
    labels: ['job', 'version', 'reason'],
  },
  reprise_records_dropped_total: {
    type: 'counter',
    help: 'Records that are in no result, by reason: skipped, derived_skipped (policy skip); late, idle, clock (too late, kept in the late topic)',
    labels: ['job', 'version', 'reason'],
  },
  reprise_errors_total: {
    type: 'counter',
    help: 'What went wrong, by code of the error: records passed over or set aside, tasks that had to recover, versions that stopped',
    labels: ['job', 'version', 'code'],
  },
  reprise_records_out_total: { type: 'counter', help: 'Records written, by topic', labels: ['job', 'version', 'topic'] },
  reprise_commits_total: { type: 'counter', help: 'Slices committed', labels: ['job', 'version'] },
  reprise_commit_duration_seconds: {
    type: 'histogram',
    help: 'From handing a commit to the log until it was durable',
    labels: ['job', 'version'],
    buckets: durations,
  },
  reprise_commit_failures_total: {
    type: 'counter',
    help: 'Commits the log refused, or whose outcome is not known, by code of the error',
    labels: ['job', 'version', 'code'],
  },
  reprise_processing_duration_seconds: {
    type: 'histogram',
    help: 'How long a task ran one slice: its records through the operators, and what became due',
    labels: ['job', 'version'],
    buckets: durations,
  },
  reprise_backpressured_seconds_total: {
    type: 'counter',
    help: 'Time tasks had a slice to run and no room for it: commits under way, or state that is full; of several tasks the sum',
    labels: ['job', 'version'],
  },
  reprise_end_to_end_latency_seconds: {
    type: 'histogram',
    help: 'From the append of the oldest source record of a slice until what the slice gave was durable and public; with parallelism up to the first exchange',
    labels: ['job', 'version'],
    buckets: longDurations,
  },
  reprise_last_record_processed_timestamp_seconds: {
    type: 'gauge',
    help: 'When source records were processed and committed last',
    labels: ['job', 'version'],
  },
  reprise_partition_idle: {
    type: 'gauge',
    help: 'Is 1 for a source partition that does not hold the watermark back since nothing comes',
    labels: ['job', 'version', 'topic', 'partition'],
  },
  reprise_checkpoint_duration_seconds: {
    type: 'histogram',
    help: 'From the cut of a checkpoint until it was complete',
    labels: ['job', 'version'],
    buckets: durations,
  },
  reprise_checkpoint_last_success_timestamp_seconds: {
    type: 'gauge',
    help: 'When the newest complete checkpoint was cut; of several tasks the oldest of these',
    labels: ['job', 'version'],
  },
  reprise_checkpoint_size_bytes: { type: 'gauge', help: 'Bytes of the files that the newest checkpoint needs', labels: ['job', 'version'] },
  reprise_checkpoint_failures_total: { type: 'counter', help: 'Checkpoints that could not be written', labels: ['job', 'version'] },
  reprise_restore_duration_seconds: {
    type: 'histogram',
    help: 'From the begin of a task until it had recovered: checkpoint loaded, later slices run again',
    labels: ['job', 'version'],
    buckets: longDurations,
  },
  reprise_state_corruptions_total: {
    type: 'counter',
    help: 'Damage found in what state was kept in, by kind: checkpoint, spill; it is thrown away and made anew',
    labels: ['job', 'version', 'kind'],
  },
  reprise_state_keys: { type: 'gauge', help: 'Entries of a store, in memory and on disk', labels: ['job', 'version', 'store'] },
  reprise_state_size_bytes: {
    type: 'gauge',
    help: 'What the entries of a store take in memory, or would; an estimate',
    labels: ['job', 'version', 'store'],
  },
  reprise_watermark_timestamp_seconds: {
    type: 'gauge',
    help: 'Event time up to which results are complete; of several tasks the lowest',
    labels: ['job', 'version'],
  },
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
  reprise_replay_throttled: {
    type: 'gauge',
    help: 'Is 1 while a version is held back, by reason: rate (a limit was set, in records or in bytes), owner (records wait for the version that publishes)',
    labels: ['job', 'version', 'reason'],
  },
  reprise_replay_state: {
    type: 'gauge',
    help: 'Is 1 for what a version beside the one that publishes does: replaying, caught-up, paused, stopped',
    labels: ['job', 'version', 'state'],
  },
  reprise_gate_pass: { type: 'gauge', help: 'Is 1 when this condition of a promotion is met', labels: ['job', 'version', 'gate'] },
  reprise_cutovers_total: {
    type: 'counter',
    help: 'Attempts to hand the public topics over, by kind (promote, rollback) and what came of them: done, aborted',
    labels: ['job', 'kind', 'result'],
  },
  reprise_cutover_duration_seconds: {
    type: 'histogram',
    help: 'How long an attempt took, from its begin until it was decided or given up',
    labels: ['job', 'kind', 'result'],
    buckets: longDurations,
  },
  reprise_cutover_publication_gap_seconds: {
    type: 'histogram',
    help: 'How long the version that published stood still at most',
    labels: ['job', 'kind'],
    buckets: durations,
  },
  reprise_dlq_size: { type: 'gauge', help: 'Dead letters of a job that were neither retried nor dropped', labels: ['job'] },
  reprise_control_offset: { type: 'gauge', help: 'Decisions made about the job so far', labels: ['job'] },
  reprise_version_heap_bytes: { type: 'gauge', help: "Heap of the version's thread", labels: ['job', 'version'] },
  reprise_version_disk_bytes: {
    type: 'gauge',
    help: 'What it has on disk for itself: state, and topics that no other version writes',
    labels: ['job', 'version'],
  },
  reprise_event_loop_delay_seconds: { type: 'gauge', help: "Longest delay of the server's event loop in the last second", labels: [] },
  reprise_heartbeat_timestamp_seconds: {
    type: 'gauge',
    help: 'When a part of the server was last seen to go on: server (its event loop), control (the job looked at longest ago), versions (the thread that answered longest ago)',
    labels: ['stage'],
  },
  reprise_disk_free_bytes: { type: 'gauge', help: 'What may still be written to the disk of the data directory', labels: ['dir'] },
  reprise_api_requests_total: { type: 'counter', help: 'Requests answered', labels: ['method', 'route', 'status'] },
  reprise_api_request_duration_seconds: {
    type: 'histogram',
    help: 'From the head of a request until its answer was sent; without streams of events',
    labels: ['method', 'route'],
    buckets: durations,
  },
  reprise_auth_failures_total: {
    type: 'counter',
    help: 'Calls that were refused, by reason: unauthenticated, forbidden',
    labels: ['reason'],
  },
  reprise_log_scrubbed_bytes_total: { type: 'counter', help: 'Bytes of the log that were read and checked in the background', labels: [] },
  reprise_log_size_bytes: {
    type: 'gauge',
    help: 'Bytes of the blocks of a topic; journals, exchanges and other internal topics as one, named internal',
    labels: ['topic'],
  },
  reprise_log_fsync_duration_seconds: {
    type: 'histogram',
    help: 'From the write of a group of commits until the disk had it',
    labels: [],
    buckets: [0.00005, 0.0001, 0.00025, ...durations],
  },
  reprise_log_corruptions_total: {
    type: 'counter',
    help: 'Damaged places of the log found in the background; counted again in each round',
    labels: [],
  },
} as const satisfies Record<string, MetricRow>

export const metricTable: Readonly<Record<string, MetricRow>> = table

/** As it stands in the exposition. */
export const shownLabel = (label: string): string => (label === 'job' ? 'reprise_job' : label)
