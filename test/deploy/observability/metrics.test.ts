import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { metricTable } from '../../../deploy/observability/metric-table.ts'
import { PrometheusMetrics } from '../../../deploy/observability/metrics.ts'
import type { JournalRecord, Totals } from '../../../engine/model/slice.ts'
import { SliceMetrics } from '../../../engine/runtime/slice-metrics.ts'
import { emptyTotals } from '../../../engine/task/reports.ts'

/** Of a slice that took 4 and 3 records of two partitions, and 9 of an exchange. */
const journalOf = (totals: Totals) =>
  ({
    totals,
    slice: { ranges: [0, 1, 3].map((input) => ({ input, from: 100, to: 200 })) },
    input: [4, 3, 9].map((count) => ({ count, digest: '' })),
  }) as unknown as JournalRecord
const inputs = [
  { kind: 'source', topic: 'flights' },
  { kind: 'source', topic: 'flights' },
  { kind: 'retry', topic: 'orders.v1.retry' },
  { kind: 'exchange', topic: 'orders.v1.exchange' },
] as const

const labels = { job: 'orders', version: 'v1' }

test('what the engine reports stands in the exposition', async () => {
  const metrics = new PrometheusMetrics()
  const slices = new SliceMetrics(metrics, labels, emptyTotals(), inputs)
  const measures = { runMs: 3, commitMs: 12, latencyMs: 400, at: 90_400, faults: new Map([['RECORD_MALFORMED', 2]]) }
  const totals = {
    in: 7,
    processed: 5,
    skipped: 1,
    deadLettered: 1,
    derived: { skipped: 0, deadLettered: 2 },
    late: { late: 3, idle: 0, clock: 0 },
    out: { delays: 4 },
  }
  slices.recovered(700)
  slices.committed(journalOf(totals), measures)
  slices.committed(journalOf({ ...totals, in: 14, derived: { skipped: 4, deadLettered: 2 } }), {
    ...measures,
    latencyMs: undefined,
    faults: new Map([['no code of ours', 1]]),
  })
  slices.commitFailed('COMMIT_FENCED')
  slices.cut(7, 1000)
  for (const newest of [0, 6, 7, 8]) slices.checkpointed(newest, 1000 + newest * 10)
  const text = await metrics.text()
  expect(text).toContain('reprise_checkpoint_duration_seconds_sum{reprise_job="orders",version="v1"} 0.07')
  expect(text).toContain('reprise_checkpoint_duration_seconds_count{reprise_job="orders",version="v1"} 1')
  expect(text).toContain('reprise_restore_duration_seconds_sum{reprise_job="orders",version="v1"} 0.7')
  expect(text).toContain('reprise_records_dropped_total{reprise_job="orders",version="v1",reason="skipped"} 1')
  expect(text).toContain('reprise_records_dropped_total{reprise_job="orders",version="v1",reason="derived_skipped"} 4')
  expect(text).toContain('reprise_records_dropped_total{reprise_job="orders",version="v1",reason="late"} 3')
  expect(text).toContain('reprise_errors_total{reprise_job="orders",version="v1",code="RECORD_MALFORMED"} 2')
  expect(text).toContain('reprise_errors_total{reprise_job="orders",version="v1",code="OPERATOR_THREW"} 1')
  expect(text).toContain('reprise_commit_failures_total{reprise_job="orders",version="v1",code="COMMIT_FENCED"} 1')
  expect(text).toContain('reprise_processing_duration_seconds_sum{reprise_job="orders",version="v1"} 0.006')
  expect(text).toContain('reprise_processing_duration_seconds_count{reprise_job="orders",version="v1"} 2')
  // What is not public yet, or took no source record, has no latency.
  expect(text).toContain('reprise_end_to_end_latency_seconds_sum{reprise_job="orders",version="v1"} 0.4')
  expect(text).toContain('reprise_end_to_end_latency_seconds_count{reprise_job="orders",version="v1"} 1')
  expect(text.match(/^reprise_records_in_total.*/gm)).toEqual([
    'reprise_records_in_total{reprise_job="orders",version="v1",topic="flights"} 14',
    'reprise_records_in_total{reprise_job="orders",version="v1",topic="orders.v1.retry"} 0',
  ])
  expect(text).toContain('reprise_records_late_total{reprise_job="orders",version="v1",reason="late"} 3')
  expect(text).toContain('reprise_records_out_total{reprise_job="orders",version="v1",topic="delays"} 4')
  expect(text).toContain('reprise_derived_dlq_records_total{reprise_job="orders",version="v1"} 2')
  expect(text).toContain('reprise_commits_total{reprise_job="orders",version="v1"} 2')
  expect(text).toContain('reprise_commit_duration_seconds_bucket{le="0.01",reprise_job="orders",version="v1"} 0')
  expect(text).toContain('reprise_commit_duration_seconds_bucket{le="0.025",reprise_job="orders",version="v1"} 2')
  expect(await metrics.total('reprise_records_in_total', labels)).toBe(14)
  expect(await metrics.total('reprise_processing_duration_seconds', labels)).toBeCloseTo(0.006)
  expect(await metrics.total('reprise_records_in_total', { ...labels, version: 'v2' })).toBe(0)
})

test('series that may grow are there before they do', async () => {
  const metrics = new PrometheusMetrics()
  new SliceMetrics(metrics, labels, { ...emptyTotals(), in: 5 }, inputs)
  const text = await metrics.text()
  expect(text).toContain('reprise_records_in_total{reprise_job="orders",version="v1",topic="flights"} 0')
  expect(text).toContain('reprise_dlq_records_total{reprise_job="orders",version="v1"} 0')
  expect(text).toContain('reprise_records_dropped_total{reprise_job="orders",version="v1",reason="clock"} 0')
})

test('a gauge that is given anew keeps nothing of before', async () => {
  const metrics = new PrometheusMetrics()
  const at = (partition: string) => ({ ...labels, topic: 'in', partition })
  metrics.replace('reprise_input_lag_records', [
    [at('0'), 5],
    [at('1'), 7],
  ])
  metrics.replace('reprise_input_lag_records', [[at('1'), 3]])
  const values = (await metrics.text()).match(/^reprise_input_lag_records.*/gm)
  expect(values).toEqual(['reprise_input_lag_records{reprise_job="orders",version="v1",topic="in",partition="1"} 3'])
})

test('a name or label that is not in the table is a mistake of ours', () => {
  const metrics = new PrometheusMetrics()
  expect(() => metrics.add('reprise_unheard_of_total', labels, 1)).toThrow('metric-table')
  expect(() => metrics.set('reprise_commits_total', labels, 1)).toThrow('no gauge')
  expect(() => metrics.add('reprise_commits_total', { ...labels, key: 'k' }, 1)).toThrow()
})

test('two instances count apart', async () => {
  const [one, two] = [new PrometheusMetrics(), new PrometheusMetrics()]
  one.add('reprise_commits_total', labels, 5)
  expect(await two.text()).not.toContain('} 5')
})

describe('names', () => {
  test.each(Object.entries(metricTable))('%s keeps to the conventions', (name, { type, help }) => {
    // What is true or not has the word for it at its end, and says so in its text.
    const state = type === 'gauge' && help.startsWith('Is 1')
    const unit = state
      ? /_(active|info|health|up|pass|idle|state|throttled)$/
      : /_(total|seconds|bytes|info|records|keys|size|ratio|offset|per_second)$/
    expect(name).toMatch(/^reprise_[a-z_]+$/)
    expect(name).toMatch(unit)
    expect(name.endsWith('_total')).toBe(type === 'counter')
    expect(help).toMatch(/^[A-Z].{10}/)
  })
})

test('the metrics file is replaced whole and leaves nothing beside it', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'reprise-metrics-'))
  try {
    const metrics = new PrometheusMetrics()
    const file = path.join(directory, 'reprise.prom')
    await metrics.writeTo(file)
    metrics.set('reprise_build_info', { version: '1', node_version: '20' }, 1)
    await metrics.writeTo(file)
    expect(await readFile(file, 'utf8')).toBe(await metrics.text())
    expect(await readdir(directory)).toEqual(['reprise.prom'])
    await expect(metrics.writeTo(path.join(directory, 'none', 'a.prom'))).rejects.toMatchObject({ code: 'FILE_UNWRITABLE' })
  } finally {
    await rm(directory, { recursive: true })
  }
})
