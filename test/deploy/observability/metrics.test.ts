import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { metricTable } from '../../../deploy/observability/metric-table.ts'
import { PrometheusMetrics } from '../../../deploy/observability/metrics.ts'
import type { JournalRecord, Totals } from '../../../engine/model/slice.ts'
import { SliceMetrics } from '../../../engine/runtime/slice-metrics.ts'
import { emptyTotals } from '../../../engine/task/reports.ts'

const journalOf = (totals: Totals) => ({ totals, watermark: 5000 }) as Partial<JournalRecord> as JournalRecord
const labels = { job: 'orders', version: 'v1' }

test('what the engine reports stands in the exposition', async () => {
  const metrics = new PrometheusMetrics()
  const slices = new SliceMetrics(metrics, labels, emptyTotals())
  const totals = {
    in: 7,
    processed: 5,
    skipped: 1,
    deadLettered: 1,
    derived: { skipped: 0, deadLettered: 2 },
    late: { late: 3, idle: 0, clock: 0 },
    out: { delays: 4 },
  }
  slices.committed(journalOf(totals), 12)
  slices.committed(journalOf({ ...totals, in: 14 }), 12)
  slices.cut(7, 1000)
  for (const newest of [0, 6, 7, 8]) slices.checkpointed(newest, 1000 + newest * 10, 5_000_000)
  const text = await metrics.text()
  expect(text).toContain('reprise_checkpoint_duration_seconds_sum{reprise_job="orders",version="v1"} 0.07')
  expect(text).toContain('reprise_checkpoint_duration_seconds_count{reprise_job="orders",version="v1"} 1')
  expect(text).toContain('reprise_checkpoint_last_success_timestamp_seconds{reprise_job="orders",version="v1"} 5000')
  expect(text).toContain('reprise_records_in_total{reprise_job="orders",version="v1"} 14')
  expect(text).toContain('reprise_records_late_total{reprise_job="orders",version="v1",reason="late"} 3')
  expect(text).toContain('reprise_records_out_total{reprise_job="orders",version="v1",topic="delays"} 4')
  expect(text).toContain('reprise_derived_dlq_records_total{reprise_job="orders",version="v1"} 2')
  expect(text).toContain('reprise_commits_total{reprise_job="orders",version="v1"} 2')
  expect(text).toContain('reprise_watermark_timestamp_seconds{reprise_job="orders",version="v1"} 5')
  expect(text).toContain('reprise_commit_duration_seconds_bucket{le="0.01",reprise_job="orders",version="v1"} 0')
  expect(text).toContain('reprise_commit_duration_seconds_bucket{le="0.025",reprise_job="orders",version="v1"} 2')
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
    const unit = state ? /_(active|info|health|up|pass)$/ : /_(total|seconds|bytes|info|records|ratio|offset|per_second)$/
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
