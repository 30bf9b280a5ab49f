import { expect, test } from 'vitest'
import { metricTable, shownLabel } from '../../deploy/observability/metric-table.ts'
import { scrape } from './metrics-text.ts'
import { persistently } from './server-process.ts'
import { numbers, serverUnderTest } from './server-under-test.ts'

const { dir, server, send, deploy, cli, view, caughtUp, until, promote } = await serverUnderTest()

/** Three of a hundred records throw; ten windows of ten seconds; the partition is idle soon. */
const metered = (plus: number) => `import { count, defineJob, topic, tumbling } from 'reprise'
import { z } from 'zod'
const numbers = topic('metered', { value: z.object({ n: z.number(), at: z.number() }), eventTime: ({ at }) => at, idleAfter: '200ms' })
const out = topic('metered-out', { value: z.object({ count: z.number() }) })
export default defineJob('metered', (job) => {
  job.from(numbers)
    .map((value) => { if (value.n % 40 === 13) throw new Error('no'); return value }, { onBad: 'deadLetter' })
    .keyBy('one', ({ n }) => 'key-' + (n % 5))
    .window('windows', tumbling('10s'))
    .aggregate({ count: count() })
    .map(({ count }) => ({ count: count + ${plus} })).to(out)
})
`
const v1 = { reprise_job: 'metered', version: 'v1' }
const v2 = { reprise_job: 'metered', version: 'v2' }
const seen = new Set<string>()

async function look() {
  const found = await scrape(server.url)
  for (const { base } of found.samples) seen.add(base)
  return found
}

test('what happened stands at /metrics, in numbers', { timeout: 90_000 }, async () => {
  const before = Date.now() / 1000
  await send('metered', numbers(0, 100))
  await deploy(metered(0), { createTopics: true })
  await caughtUp('metered', 1)
  // Of a window that is closed long since.
  await send('metered', numbers(1, 2))
  await caughtUp('metered', 1)
  const metrics = await persistently(async () => {
    const found = await look()
    expect(found.value('reprise_input_current_offset', { ...v1, topic: 'metered', partition: '0' })).toBe(101)
    expect(found.value('reprise_records_in_total', { ...v1, topic: 'metered' })).toBe(101)
    expect(found.value('reprise_partition_idle', { ...v1, topic: 'metered', partition: '0' })).toBe(1)
    expect(found.value('reprise_checkpoint_size_bytes', v1)).toBeGreaterThan(0)
    return found
  }, 30_000)
  const now = Date.now() / 1000
  const timeOf = (name: string, labels: object) => {
    const at = metrics.value(name, labels)
    expect(at, name).toBeGreaterThanOrEqual(before)
    expect(at, name).toBeLessThanOrEqual(now + 1)
  }
  expect(metrics.value('reprise_records_processed_total', v1)).toBe(98)
  expect(metrics.value('reprise_dlq_records_total', v1)).toBe(3)
  expect(metrics.value('reprise_errors_total', { ...v1, code: 'OPERATOR_THREW' })).toBe(3)
  expect(metrics.value('reprise_records_dropped_total', { ...v1, reason: 'late' })).toBe(1)
  expect(metrics.value('reprise_records_dropped_total', { ...v1, reason: 'skipped' })).toBe(0)
  expect(metrics.value('reprise_records_late_total', { ...v1, reason: 'late' })).toBe(1)
  // Nine windows of five keys are closed, the tenth is open.
  expect(metrics.value('reprise_records_out_total', { ...v1, topic: 'metered-out' })).toBe(45)
  expect(metrics.value('reprise_state_keys', { ...v1, store: 'windows' })).toBe(5)
  expect(metrics.value('reprise_state_size_bytes', { ...v1, store: 'windows' })).toBeGreaterThan(5 * 100)
  expect(metrics.value('reprise_watermark_timestamp_seconds', v1)).toBe(1_700_000_000 + 99)
  expect(metrics.value('reprise_input_lag_records', { ...v1, topic: 'metered', partition: '0' })).toBe(0)
  expect(metrics.value('reprise_input_lag_seconds', { ...v1, topic: 'metered', partition: '0' })).toBe(0)
  expect(metrics.value('reprise_input_log_end_offset', { ...v1, topic: 'metered', partition: '0' })).toBe(101)
  const commits = metrics.value('reprise_commits_total', v1)
  expect(commits).toBeGreaterThanOrEqual(2)
  expect(metrics.value('reprise_processing_duration_seconds_count', v1)).toBe(commits)
  expect(metrics.value('reprise_commit_duration_seconds_count', v1)).toBe(commits)
  const latencies = metrics.value('reprise_end_to_end_latency_seconds_count', v1)
  expect(latencies).toBeGreaterThanOrEqual(2)
  expect(latencies).toBeLessThanOrEqual(commits!)
  expect(metrics.value('reprise_end_to_end_latency_seconds_sum', v1)).toBeGreaterThan(0)
  expect(metrics.value('reprise_end_to_end_latency_seconds_sum', v1)).toBeLessThan((now - before) * latencies!)
  expect(metrics.value('reprise_restore_duration_seconds_count', v1)).toBe(1)
  expect(metrics.value('reprise_checkpoint_failures_total', v1)).toBe(0)
  expect(metrics.value('reprise_state_corruptions_total', { ...v1, kind: 'checkpoint' })).toBe(0)
  timeOf('reprise_last_record_processed_timestamp_seconds', v1)
  timeOf('reprise_checkpoint_last_success_timestamp_seconds', v1)
  for (const stage of ['server', 'control', 'versions']) timeOf('reprise_heartbeat_timestamp_seconds', { stage })
  expect(metrics.value('reprise_log_size_bytes', { topic: 'metered' })).toBeGreaterThan(101 * 10)
  expect(metrics.value('reprise_log_size_bytes', { topic: 'internal' })).toBeGreaterThan(0)
  expect(metrics.value('reprise_log_fsync_duration_seconds_count', {})).toBeGreaterThan(commits!)
  expect(metrics.value('reprise_log_corruptions_total', {})).toBe(0)
  expect(metrics.value('reprise_disk_free_bytes', { dir: `${dir}/data` })).toBeGreaterThan(2 ** 20)
  expect(metrics.value('reprise_job_version_info', { ...v1, role: 'active' })).toBe(1)
  expect(metrics.value('reprise_dlq_size', { reprise_job: 'metered' })).toBe(3)
  expect(metrics.value('reprise_control_offset', { reprise_job: 'metered' })).toBe(1)
  const ingest = { method: 'POST', route: '/api/v1/topics/:topic/records' }
  expect(metrics.value('reprise_api_requests_total', { ...ingest, status: '200' })).toBe(2)
  expect(metrics.value('reprise_api_request_duration_seconds_count', ingest)).toBe(2)
  expect(metrics.names).toContain('process_resident_memory_bytes')
})

test('a replay, a switch and the way back are counted; a version that is given up has no series any more', {
  timeout: 90_000,
}, async () => {
  await deploy(metered(1))
  await until('metered', 2, ({ phase }) => phase === 'caught-up')
  await persistently(async () => {
    const metrics = await look()
    expect(metrics.value('reprise_replay_state', { ...v2, state: 'caught-up' })).toBe(1)
    expect(metrics.value('reprise_replay_state', { ...v2, state: 'replaying' })).toBe(0)
    expect(metrics.value('reprise_replay_remaining_records', v2)).toBe(0)
    expect(metrics.value('reprise_gate_pass', { ...v2, gate: 'held' })).toBe(1)
    expect(metrics.value('reprise_replay_throttled', { ...v2, reason: 'rate' })).toBe(0)
    // What it gives is not public: nobody waits for it.
    expect(metrics.value('reprise_end_to_end_latency_seconds_count', v2)).toBeUndefined()
    expect(metrics.value('reprise_records_in_total', { ...v2, topic: 'metered' })).toBe(101)
  }, 20_000)
  for (const [limit, throttled] of [
    ['10MB', 1],
    ['max', 0],
    ['5k', 1],
  ] as const) {
    await cli('rate', 'metered', limit)
    const seen = async () => (await look()).value('reprise_replay_throttled', { ...v2, reason: 'rate' })
    await persistently(async () => expect(await seen()).toBe(throttled), 10_000)
  }
  await promote('metered', 2)
  await persistently(async () => {
    const metrics = await look()
    expect(metrics.value('reprise_job_version_active', v2)).toBe(1)
    expect(metrics.value('reprise_job_version_active', v1)).toBe(0)
    // It replays no more.
    for (const name of ['progress_ratio', 'remaining_records', 'rate_records_per_second', 'eta_seconds'])
      expect(metrics.value(`reprise_replay_${name}`, v2)).toBeUndefined()
    expect(metrics.value('reprise_replay_state', { ...v2, state: 'caught-up' })).toBeUndefined()
    expect(metrics.value('reprise_gate_pass', { ...v2, gate: 'held' })).toBeUndefined()
  }, 10_000)
  const { code, stderr } = await cli('rollback', 'metered', '--yes')
  expect(code, stderr).toBe(0)
  const counted = await look()
  for (const kind of ['promote', 'rollback']) {
    const labels = { reprise_job: 'metered', kind, result: 'done' }
    expect(counted.value('reprise_cutovers_total', labels)).toBe(1)
    expect(counted.value('reprise_cutover_duration_seconds_count', labels)).toBe(1)
    expect(counted.value('reprise_cutover_publication_gap_seconds_count', { reprise_job: 'metered', kind })).toBe(1)
    expect(counted.value('reprise_cutovers_total', { ...labels, result: 'aborted' })).toBe(0)
  }
  await server.api.post('/api/v1/jobs/metered/abort', { version: 2 })
  await persistently(async () => expect((await look()).samples.filter(({ labels }) => labels.version === 'v2')).toEqual([]), 20_000)
  // Nor has it a lag.
  expect((await view('metered')).versions.find(({ version }) => version === 2)).toMatchObject({ lag: null, progress: null, partitions: [] })
  const { items } = await server.api.get<{ items: { version: number }[] }>('/api/v1/jobs/metered/lag')
  expect(items.map(({ version }) => version)).toEqual([1])
})

test('a version that stops is an error of its code, and its lag grows on', { timeout: 60_000 }, async () => {
  await send('stops', [{ n: 1, at: 1_700_000_000_000 }])
  await deploy(metered(2).replaceAll('metered', 'stops').replace(", { onBad: 'deadLetter' }", '').replace('value.n % 40 === 13', 'true'), {
    createTopics: true,
  })
  await until('stops', 1, ({ health }) => health === 'stopped')
  await persistently(async () => {
    const metrics = await look()
    expect(metrics.value('reprise_errors_total', { reprise_job: 'stops', version: 'v1', code: 'OPERATOR_THREW' })).toBe(1)
    expect(metrics.value('reprise_version_health', { reprise_job: 'stops', version: 'v1', health: 'stopped' })).toBe(1)
  }, 10_000)
  const lags = async (records: number) => {
    const labels = { reprise_job: 'stops', version: 'v1', topic: 'stops', partition: '0' }
    const { lag } = (await view('stops')).versions[0]!
    expect([lag?.records, (await look()).value('reprise_input_lag_records', labels)]).toEqual([String(records), records])
  }
  await persistently(() => lags(1), 10_000)
  await send('stops', [{ n: 2, at: 1_700_000_000_000 }])
  await persistently(() => lags(2), 10_000)
})

test('the exposition has the metrics of the table, with its labels and no others', async () => {
  const { types, samples } = await look()
  const own = Object.entries(types).filter(([name]) => name.startsWith('reprise_'))
  expect(Object.fromEntries(own)).toEqual(Object.fromEntries(Object.entries(metricTable).map(([name, { type }]) => [name, type])))
  for (const { name, base, labels } of samples) {
    const row = metricTable[base]
    if (row === undefined) continue
    const { le: _, ...own } = labels
    expect(Object.keys(own).sort(), name).toEqual(row.labels.map(shownLabel).sort())
  }
  // All but what did not happen here, or only happens elsewhere.
  const silent = ['reprise_commit_failures_total', 'reprise_auth_failures_total']
  expect(Object.keys(metricTable).filter((name) => !seen.has(name))).toEqual(silent)
})
