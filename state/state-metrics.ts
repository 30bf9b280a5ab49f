import type { Labels, Metrics } from '../engine/ports/world.ts'
import { Closed } from './pacer.ts'
import type { TaskIdentity } from './task-identity.ts'

const kinds = ['checkpoint', 'spill'] as const

/** Tells the metrics what went wrong with the state of a task. */
export class StateMetrics {
  private readonly metrics: Metrics
  private readonly labels: Labels

  constructor(metrics: Metrics, { job, version }: TaskIdentity) {
    this.metrics = metrics
    this.labels = { job, version: `v${version}` }
  }

  /** Series that may grow are there from the start. */
  begin(): void {
    this.metrics.add('reprise_checkpoint_failures_total', this.labels, 0)
    for (const kind of kinds) this.metrics.add('reprise_state_corruptions_total', { ...this.labels, kind }, 0)
  }

  /** What was written is not what is read, and is thrown away. */
  corrupted(kind: (typeof kinds)[number]): void {
    this.metrics.add('reprise_state_corruptions_total', { ...this.labels, kind }, 1)
  }

  /** A checkpoint that fails is counted; not one that is given up because the state is closed. */
  async checkpoint(published: Promise<void>): Promise<void> {
    try {
      await published
    } catch (error) {
      if (!(error instanceof Closed)) this.metrics.add('reprise_checkpoint_failures_total', this.labels, 1)
      throw error
    }
  }
}
