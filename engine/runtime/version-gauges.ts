import type { Labels, Metrics } from '../ports/world.ts'

/** What is shown of what several say. */
export type Shown = 'lowest' | 'highest' | 'sum'

/** Gauges that the tasks of a version share: each says what it sees, and one value is shown. */
export class VersionGauges {
  private readonly metrics: Metrics
  private readonly labels: Labels
  /** By series, then by who told. */
  private readonly told = new Map<string, Map<string | number, number>>()

  /** @param labels of the version. */
  constructor(metrics: Metrics, labels: Labels) {
    this.metrics = metrics
    this.labels = labels
  }

  /** Takes the place of what `who` (a task, a partition) told of the same series. @param more labels beside the version's. */
  tell(who: string | number, name: string, value: number, shown: Shown, more: Labels = {}): void {
    const series = `${name} ${Object.values(more).join(' ')}`
    let values = this.told.get(series)
    if (values === undefined) this.told.set(series, (values = new Map()))
    values.set(who, value)
    this.metrics.set(name, { ...this.labels, ...more }, combined([...values.values()], shown))
  }
}

function combined(values: readonly number[], shown: Shown): number {
  if (shown === 'sum') return values.reduce((sum, value) => sum + value, 0)
  return shown === 'lowest' ? Math.min(...values) : Math.max(...values)
}
