import type { Labels, Metrics } from '../../engine/ports/world.ts'

/** What a series came to since the last batch: by how much a counter grew, what a gauge shows, each value a histogram saw. */
export type MetricCall =
  | { readonly call: 'add' | 'set'; readonly name: string; readonly labels: Labels; value: number }
  | { readonly call: 'observe'; readonly name: string; readonly labels: Labels; readonly values: number[] }

/** Gathers what a thread measures, a series at a time: thousands of calls a second would hold up whoever keeps the registry. */
export class BatchedMetrics implements Metrics {
  private series = new Map<string, MetricCall>()

  add(name: string, labels: Labels, by: number): void {
    const key = keyOf(name, labels)
    const known = this.series.get(key)
    if (known?.call === 'add') known.value += by
    else this.series.set(key, { call: 'add', name, labels, value: by })
  }

  set(name: string, labels: Labels, value: number): void {
    this.series.set(keyOf(name, labels), { call: 'set', name, labels, value })
  }

  observe(name: string, labels: Labels, value: number): void {
    const key = keyOf(name, labels)
    const known = this.series.get(key)
    if (known?.call === 'observe') known.values.push(value)
    else this.series.set(key, { call: 'observe', name, labels, values: [value] })
  }

  /** What was gathered since the last call. */
  take(): MetricCall[] {
    const calls = [...this.series.values()]
    this.series = new Map()
    return calls
  }
}

/** Plays a batch back. */
export function applyBatch(metrics: Metrics, calls: readonly MetricCall[]): void {
  for (const one of calls) {
    if (one.call === 'observe') for (const value of one.values) metrics.observe(one.name, one.labels, value)
    else metrics[one.call](one.name, one.labels, one.value)
  }
}

/** A name has always the same labels, in the same order. */
function keyOf(name: string, labels: Labels): string {
  let key = name
  for (const label in labels) key += `\0${labels[label]}`
  return key
}
