import { partitionLabel } from '../../engine/runtime/partition-label.ts'
import type { PartitionLag } from './version-observer.ts'

/** One value of one gauge. */
export interface LagSample {
  readonly name: (typeof gauges)[number]['name']
  readonly topic: string
  readonly partition: string
  readonly value: number
}

/** Lags are shown by the largest where there are too many partitions to show each, never by the mean; offsets by their sum. */
const gauges = [
  { name: 'reprise_input_lag_records', together: 'max', valueAt: ({ lag }: PartitionLag) => lag },
  { name: 'reprise_input_lag_seconds', together: 'max', valueAt: ({ lagMs }: PartitionLag) => lagMs / 1000 },
  { name: 'reprise_input_current_offset', together: 'sum', valueAt: ({ current }: PartitionLag) => current },
  { name: 'reprise_input_log_end_offset', together: 'sum', valueAt: ({ end }: PartitionLag) => end },
] as const

/** What the partitions of one version look like: each, or by topic where there are too many. Pure. */
export function lagSeries(partitions: readonly PartitionLag[]): LagSample[] {
  const samples = new Map<string, LagSample>()
  for (const { name, together, valueAt } of gauges) {
    for (const one of partitions) {
      const partition = partitionLabel(one.partition, partitions.length, together)
      const series = `${name} ${one.topic} ${partition}`
      const before = samples.get(series)?.value
      const value = valueAt(one)
      const shown = before === undefined ? value : together === 'max' ? Math.max(before, value) : before + value
      samples.set(series, { name, topic: one.topic, partition, value: shown })
    }
  }
  return [...samples.values()]
}
