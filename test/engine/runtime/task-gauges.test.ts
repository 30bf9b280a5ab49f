import { expect, test } from 'vitest'
import type { Labels } from '../../../engine/ports/world.ts'
import { noMetrics } from '../../../engine/ports/world.ts'
import { partitionLabel, partitionsShownMax } from '../../../engine/runtime/partition-label.ts'
import { type TaskLook, tellGauges } from '../../../engine/runtime/task-gauges.ts'
import { VersionGauges } from '../../../engine/runtime/version-gauges.ts'

const version = { job: 'orders', version: 'v1' }
const noCheckpoint = { newest: 0, secondNewest: 0, at: 0, bytes: 0 }

function gaugesUnderTest() {
  const shown = new Map<string, number>()
  const set = (name: string, { job, version: of, ...more }: Labels, value: number) => {
    expect({ job, version: of }).toEqual(version)
    shown.set([name.replace(/^reprise_/, ''), ...Object.values(more)].join(' '), value)
  }
  return { shown, gauges: new VersionGauges({ ...noMetrics, set }, version) }
}

const nothing: TaskLook = {
  watermark: Number.NEGATIVE_INFINITY,
  lastRecordAt: undefined,
  state: { published: noCheckpoint, sizes: () => [] },
  sources: [],
  partitions: 2,
}

test('of the tasks of a version the slowest watermark, the newest record, the oldest checkpoint and the sum of the state are shown', () => {
  const { shown, gauges } = gaugesUnderTest()
  const look = (watermark: number, lastRecordAt: number, cutAt: number, keys: number): TaskLook => ({
    ...nothing,
    watermark,
    lastRecordAt,
    state: {
      published: { newest: 3, secondNewest: 0, at: cutAt, bytes: keys * 10 },
      sizes: () => [{ store: 'totals', keys, bytes: keys * 200 }],
    },
  })
  tellGauges(gauges, 0, look(5000, 70_000, 60_000, 3))
  tellGauges(gauges, 1, look(9000, 80_000, 50_000, 4))
  // The last one to tell does not win.
  tellGauges(gauges, 0, look(6000, 71_000, 61_000, 5))
  expect(Object.fromEntries(shown)).toEqual({
    watermark_timestamp_seconds: 6,
    last_record_processed_timestamp_seconds: 80,
    checkpoint_last_success_timestamp_seconds: 50,
    checkpoint_size_bytes: 90,
    'state_keys totals': 9,
    'state_size_bytes totals': 1800,
  })
})

test('what is not known has no series', () => {
  const { shown, gauges } = gaugesUnderTest()
  tellGauges(gauges, 0, nothing)
  tellGauges(gauges, 1, { ...nothing, watermark: Number.POSITIVE_INFINITY })
  expect(shown.size).toBe(0)
})

test('idle partitions are shown one by one, or whether any is idle where there are too many', () => {
  const { shown, gauges } = gaugesUnderTest()
  const sources = [0, 1].map((partition) => ({ topic: 'in', partition, idle: partition === 0 }))
  tellGauges(gauges, 0, { ...nothing, sources })
  expect(Object.fromEntries(shown)).toEqual({ 'partition_idle in 0': 1, 'partition_idle in 1': 0 })
  shown.clear()
  tellGauges(gauges, 0, { ...nothing, sources, partitions: partitionsShownMax + 1 })
  expect(Object.fromEntries(shown)).toEqual({ 'partition_idle in max': 1 })
})

test('200 partitions are shown each, 201 together', () => {
  expect(partitionLabel(7, 200, 'max')).toBe('7')
  expect(partitionLabel(7, 201, 'max')).toBe('max')
  expect(partitionLabel(7, 201, 'sum')).toBe('sum')
})
