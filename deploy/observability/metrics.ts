import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { assert } from '../../engine/assert.ts'
import type { Labels, Metrics } from '../../engine/ports/world.ts'
import { writeFileAtomically } from '../write-file-atomically.ts'
import { type MetricRow, metricTable, shownLabel } from './metric-table.ts'

/** The Metrics port on a prom-client registry of its own. Names and labels that are not in the table are assertions. */
export class PrometheusMetrics implements Metrics {
  readonly registry = new Registry()
  private readonly counters = new Map<string, Counter>()
  private readonly gauges = new Map<string, Gauge>()
  private readonly histograms = new Map<string, Histogram>()

  constructor(table: Readonly<Record<string, MetricRow>> = metricTable) {
    for (const [name, { type, help, labels, buckets }] of Object.entries(table)) {
      const about = { name, help, labelNames: labels.map(shownLabel), registers: [this.registry] }
      if (type === 'counter') this.counters.set(name, new Counter(about))
      else if (type === 'gauge') this.gauges.set(name, new Gauge(about))
      else this.histograms.set(name, new Histogram({ ...about, ...(buckets && { buckets: [...buckets] }) }))
    }
  }

  add(name: string, labels: Labels, by: number): void {
    known(this.counters, name, 'counter').inc(shown(labels), by)
  }

  set(name: string, labels: Labels, value: number): void {
    known(this.gauges, name, 'gauge').set(shown(labels), value)
  }

  observe(name: string, labels: Labels, value: number): void {
    known(this.histograms, name, 'histogram').observe(shown(labels), value)
  }

  /** Gives a gauge these series, and no others. */
  replace(name: string, series: readonly (readonly [labels: Labels, value: number])[]): void {
    known(this.gauges, name, 'gauge').reset()
    for (const [labels, value] of series) this.set(name, labels, value)
  }

  /** Also what Node and the process say of themselves: `nodejs_…`, `process_…`. Once a process. */
  collectDefaults(): void {
    collectDefaultMetrics({ register: this.registry })
  }

  /** Removes all series that have these labels, whatever others they have. */
  async forget(labels: Labels): Promise<void> {
    const wanted = Object.entries(shown(labels))
    for (const metric of [...this.counters.values(), ...this.gauges.values(), ...this.histograms.values()]) {
      const { values } = await metric.get()
      const matching = values.map((value) => value.labels).filter((found) => wanted.every(([name, value]) => found[name] === value))
      // Of a histogram each bucket is a value of its own: `le` is no label of the series.
      for (const { le, ...series } of matching as Record<string, string>[]) metric.remove(series)
    }
  }

  /** What all series that have these labels come to: of a counter, or what a histogram saw in all. */
  async total(name: string, labels: Labels): Promise<number> {
    const wanted = Object.entries(shown(labels))
    const histogram = this.histograms.get(name)
    const { values } = await (histogram ?? known(this.counters, name, 'counter')).get()
    const ofAll = histogram === undefined ? undefined : `${name}_sum`
    const found = (values as readonly { value: number; labels: object; metricName?: string }[]).filter(
      (one) => one.metricName === ofAll && wanted.every(([label, value]) => (one.labels as Record<string, unknown>)[label] === value),
    )
    return found.reduce((sum, { value }) => sum + value, 0)
  }

  /** All metrics in the text format of Prometheus. */
  text(): Promise<string> {
    return this.registry.metrics()
  }

  /** Writes the text to a file, which is never seen half written (for the textfile collector of the node exporter). FILE_UNWRITABLE. */
  async writeTo(file: string): Promise<void> {
    await writeFileAtomically(file, await this.text())
  }
}

function known<M>(metrics: ReadonlyMap<string, M>, name: string, type: string): M {
  const metric = metrics.get(name)
  assert(metric !== undefined, () => `there is no ${type} ${name} in deploy/observability/metric-table.ts`)
  return metric
}

function shown(labels: Labels): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).map(([label, value]) => [shownLabel(label), value]))
}
