import type { Clock, Metrics } from '../../engine/ports/world.ts'
import type { CutOver } from '../../replay/control-event.ts'

const kinds = ['promote', 'rollback'] as const
const results = ['done', 'aborted'] as const
export type CutOverKind = (typeof kinds)[number]

/** Tells the metrics of one job's attempts to hand the public topics over. */
export class CutOverMetrics {
  private readonly job: string
  private readonly metrics: Metrics
  private readonly clock: Pick<Clock, 'monotonic'>

  constructor(job: string, metrics: Metrics, clock: Pick<Clock, 'monotonic'>) {
    this.job = job
    this.metrics = metrics
    this.clock = clock
    // Series that may grow are there from the start.
    for (const kind of kinds) for (const result of results) metrics.add('reprise_cutovers_total', { job, kind, result }, 0)
  }

  /** Makes one attempt. */
  async measure(kind: CutOverKind, attempt: () => Promise<CutOver>): Promise<CutOver> {
    const { job, metrics } = this
    const from = this.clock.monotonic()
    const tell = (result: (typeof results)[number]) => {
      metrics.add('reprise_cutovers_total', { job, kind, result }, 1)
      metrics.observe('reprise_cutover_duration_seconds', { job, kind, result }, (this.clock.monotonic() - from) / 1000)
    }
    try {
      const done = await attempt()
      tell('done')
      metrics.observe('reprise_cutover_publication_gap_seconds', { job, kind }, (done.heldMs ?? 0) / 1000)
      return done
    } catch (error) {
      tell('aborted')
      throw error
    }
  }
}
