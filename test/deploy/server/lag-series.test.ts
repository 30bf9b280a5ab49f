import { expect, test } from 'vitest'
import { lagSeries } from '../../../deploy/server/lag-series.ts'
import { shownSizes } from '../../../deploy/server/server-metrics.ts'

const partitionsOf = (topic: string, count: number) =>
  Array.from({ length: count }, (_, partition) => ({
    topic,
    partition,
    current: 10,
    end: 10 + partition,
    lag: partition,
    lagMs: partition * 1000,
  }))

test('each partition has its own lag, in records and in seconds', () => {
  const samples = lagSeries(partitionsOf('in', 2)).map(({ name, partition, value }) => [
    name.replace('reprise_input_', ''),
    partition,
    value,
  ])
  expect(samples).toEqual([
    ['lag_records', '0', 0],
    ['lag_records', '1', 1],
    ['lag_seconds', '0', 0],
    ['lag_seconds', '1', 1],
    ['current_offset', '0', 10],
    ['current_offset', '1', 10],
    ['log_end_offset', '0', 10],
    ['log_end_offset', '1', 11],
  ])
})

test('of more than 200 partitions the largest lag of each topic is shown, never the mean, and offsets are added up', () => {
  const samples = lagSeries([...partitionsOf('in', 150), ...partitionsOf('other', 51)])
  expect(samples.map(({ name, topic, partition, value }) => [name.replace('reprise_input_', ''), topic, partition, value])).toEqual([
    ['lag_records', 'in', 'max', 149],
    ['lag_records', 'other', 'max', 50],
    ['lag_seconds', 'in', 'max', 149],
    ['lag_seconds', 'other', 'max', 50],
    ['current_offset', 'in', 'sum', 1500],
    ['current_offset', 'other', 'sum', 510],
    ['log_end_offset', 'in', 'sum', 1500 + (149 * 150) / 2],
    ['log_end_offset', 'other', 'sum', 510 + (50 * 51) / 2],
  ])
})

test('internal topics are shown as one', () => {
  const kinds = new Map([
    ['in', 'stream'],
    ['orders.v1.journal', 'internal'],
    ['reprise.bundles', 'internal'],
  ])
  const sizes = new Map([...kinds.keys()].map((topic, i) => [topic, 10 ** i] as const))
  expect(Object.fromEntries(shownSizes(sizes, (topic) => kinds.get(topic)))).toEqual({ in: 1, internal: 110 })
})
