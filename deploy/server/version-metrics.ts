import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import { alive } from '../../replay/control-state.ts'
import type { PrometheusMetrics } from '../observability/metrics.ts'
import type { JobController } from './job-controller.ts'

const roles = ['candidate', 'active', 'standby'] as const
const healths = ['running', 'paused', 'stopped'] as const

/** What is seen of the versions and of the server itself, as gauges. Series of versions that are no more go. */
export class VersionMetrics {
  private readonly metrics: PrometheusMetrics
  private readonly forgotten = new Set<string>()
  private readonly delay: IntervalHistogram = monitorEventLoopDelay()

  constructor(metrics: PrometheusMetrics) {
    this.metrics = metrics
    this.delay.enable()
  }

  async look(controllers: Iterable<JobController>): Promise<void> {
    const { metrics, delay } = this
    metrics.set('reprise_event_loop_delay_seconds', {}, delay.max / 1e9)
    delay.reset()
    for (const controller of controllers) {
      metrics.set('reprise_control_offset', { job: controller.job }, controller.control.events)
      for (const state of controller.control.versions.values()) {
        if (alive(state)) this.set(controller, state.version)
        // Not before its thread has ended: what that counts to the last would come back.
        else if (controller.host(state.version) === undefined) await this.forget(controller.job, state.version)
      }
    }
  }

  close(): void {
    this.delay.disable()
  }

  private set(controller: JobController, version: number): void {
    const { metrics } = this
    const labels = { job: controller.job, version: `v${version}` }
    const { role, health } = controller.version(version)
    const observer = controller.observer(version)
    metrics.set('reprise_job_version_active', labels, role === 'active' ? 1 : 0)
    for (const each of roles) metrics.set('reprise_job_version_info', { ...labels, role: each }, each === role ? 1 : 0)
    for (const each of healths) metrics.set('reprise_version_health', { ...labels, health: each }, each === health ? 1 : 0)
    metrics.set('reprise_version_heap_bytes', labels, controller.host(version)?.heapBytes ?? 0)
    for (const { topic, partition, current, end, lag, lagMs } of observer.partitions) {
      const at = { ...labels, topic, partition: String(partition) }
      metrics.set('reprise_input_lag_records', at, lag)
      metrics.set('reprise_input_lag_seconds', at, lagMs / 1000)
      metrics.set('reprise_input_current_offset', at, current)
      metrics.set('reprise_input_log_end_offset', at, end)
    }
    const progress = observer.progress(health === 'paused')
    if (progress === undefined) return
    metrics.set('reprise_replay_progress_ratio', labels, progress.ratio)
    metrics.set('reprise_replay_remaining_records', labels, progress.target - progress.done)
    metrics.set('reprise_replay_rate_records_per_second', labels, progress.recordsPerSecond ?? Number.NaN)
    metrics.set('reprise_replay_eta_seconds', labels, progress.eta.seconds ?? Number.NaN)
    if (role === 'active') return
    metrics.set('reprise_replay_throttled_per_second', labels, controller.governed.get(version) ?? Number.NaN)
    metrics.set('reprise_replay_caught_up', labels, controller.caughtUp(version) ? 1 : 0)
    for (const { name, pass } of controller.gates(version)) metrics.set('reprise_gate_pass', { ...labels, gate: name }, pass ? 1 : 0)
  }

  private async forget(job: string, version: number): Promise<void> {
    const labels = { job, version: `v${version}` }
    const name = `${job} v${version}`
    if (this.forgotten.has(name)) return
    this.forgotten.add(name)
    await this.metrics.forget(labels)
  }
}
