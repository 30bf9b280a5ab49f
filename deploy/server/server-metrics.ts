import { statfs } from 'node:fs/promises'
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import type { Log } from '../../engine/ports/log.ts'
import type { Clock, Labels } from '../../engine/ports/world.ts'
import { openLetters } from '../../replay/dead-letters.ts'
import type { PrometheusMetrics } from '../observability/metrics.ts'
import type { JobController } from './job-controller.ts'

export interface ServerMetricsWorld {
  readonly metrics: PrometheusMetrics
  readonly clock: Clock
  /** The data directory. */
  readonly directory: string
  readonly log: Pick<Log, 'topic' | 'bounds'> & { sizes(): Map<string, number> }
}

/** What is seen of the server itself, as gauges: that it goes on, its disk, its log. */
export class ServerMetrics {
  private readonly world: ServerMetricsWorld
  private readonly delay: IntervalHistogram = monitorEventLoopDelay()

  constructor(world: ServerMetricsWorld) {
    this.world = world
    this.delay.enable()
    world.metrics.collectDefaults()
  }

  async look(controllers: readonly JobController[]): Promise<void> {
    const { metrics, directory, log, clock } = this.world
    metrics.set('reprise_event_loop_delay_seconds', {}, this.delay.max / 1e9)
    this.delay.reset()
    for (const { job, control } of controllers) {
      metrics.set('reprise_control_offset', { job }, control.events)
      metrics.set('reprise_dlq_size', { job }, openLetters(log, job))
    }
    metrics.replace('reprise_heartbeat_timestamp_seconds', heartbeats(controllers, clock.now()))
    const kindOf = (topic: string) => log.topic(topic)?.kind
    metrics.replace(
      'reprise_log_size_bytes',
      [...shownSizes(log.sizes(), kindOf)].map(([topic, bytes]) => [{ topic }, bytes] as const),
    )
    const { bavail, bsize } = await statfs(directory)
    metrics.set('reprise_disk_free_bytes', { dir: directory }, bavail * bsize)
  }

  close(): void {
    this.delay.disable()
  }
}

function heartbeats(controllers: readonly JobController[], now: number): [Labels, number][] {
  const threads = controllers.flatMap((controller) => controller.hosts)
  const stages: [string, number[]][] = [
    ['server', [now]],
    ['control', controllers.map(({ lookedAt }) => lookedAt)],
    ['versions', threads.map(({ answeredAt }) => answeredAt)],
  ]
  return stages.filter(([, times]) => times.length > 0).map(([stage, times]) => [{ stage }, Math.min(...times) / 1000])
}

/** Internal topics come and go with versions: they are shown as one. Pure. */
export function shownSizes(sizes: ReadonlyMap<string, number>, kindOf: (topic: string) => string | undefined): Map<string, number> {
  const shown = new Map<string, number>()
  for (const [topic, bytes] of sizes) {
    const name = kindOf(topic) === 'internal' ? 'internal' : topic
    shown.set(name, (shown.get(name) ?? 0) + bytes)
  }
  return shown
}
