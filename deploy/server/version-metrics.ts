import type { Labels } from '../../engine/ports/world.ts'
import { alive } from '../../replay/control-state.ts'
import type { PrometheusMetrics } from '../observability/metrics.ts'
import type { JobController } from './job-controller.ts'
import { lagSeries } from './lag-series.ts'

const roles = ['candidate', 'active', 'standby'] as const
const healths = ['running', 'paused', 'stopped'] as const
const replayStates = ['replaying', 'caught-up', 'paused', 'stopped'] as const

/** Gauges that each look gives anew: what is seen no more has no series. */
const looked = [
  'reprise_job_version_active',
  'reprise_job_version_info',
  'reprise_version_health',
  'reprise_version_heap_bytes',
  'reprise_version_disk_bytes',
  'reprise_input_lag_records',
  'reprise_input_lag_seconds',
  'reprise_input_current_offset',
  'reprise_input_log_end_offset',
  'reprise_replay_progress_ratio',
  'reprise_replay_remaining_records',
  'reprise_replay_rate_records_per_second',
  'reprise_replay_eta_seconds',
  'reprise_replay_throttled',
  'reprise_replay_throttled_per_second',
  'reprise_replay_caught_up',
  'reprise_replay_state',
  'reprise_gate_pass',
] as const
type Looked = (typeof looked)[number]

/** What is seen of the versions, as gauges. Series of versions that are no more go, also those that their threads told of. */
export class VersionMetrics {
  private readonly metrics: PrometheusMetrics
  private readonly forgotten = new Set<string>()
  private seen = new Map<string, [Labels, number][]>()

  constructor(metrics: PrometheusMetrics) {
    this.metrics = metrics
  }

  async look(controllers: readonly JobController[]): Promise<void> {
    this.seen = new Map(looked.map((name) => [name, []]))
    for (const controller of controllers)
      for (const state of controller.control.versions.values()) if (alive(state)) this.see(controller, state.version)
    for (const [name, series] of this.seen) this.metrics.replace(name, series)
    for (const controller of controllers) {
      for (const state of controller.control.versions.values()) {
        // Not before its thread has ended: what that counts to the last would come back.
        if (!alive(state) && controller.host(state.version) === undefined) await this.forget(controller.job, state.version)
      }
    }
  }

  private see(controller: JobController, version: number): void {
    const labels = { job: controller.job, version: `v${version}` }
    const { role, health, recordsPerSecond, bytesPerSecond } = controller.version(version)
    const observer = controller.readiness.observer(version)
    const governed = controller.heldBackTo(version)
    this.set('reprise_job_version_active', labels, role === 'active' ? 1 : 0)
    for (const each of roles) this.set('reprise_job_version_info', { ...labels, role: each }, each === role ? 1 : 0)
    for (const each of healths) this.set('reprise_version_health', { ...labels, health: each }, each === health ? 1 : 0)
    this.set('reprise_version_heap_bytes', labels, controller.host(version)?.heapBytes ?? 0)
    const diskBytes = controller.diskBytes(version)
    if (diskBytes !== undefined) this.set('reprise_version_disk_bytes', labels, diskBytes)
    for (const { name, topic, partition, value } of lagSeries(observer.partitions)) this.set(name, { ...labels, topic, partition }, value)
    this.set('reprise_replay_throttled', { ...labels, reason: 'rate' }, recordsPerSecond === null && bytesPerSecond === null ? 0 : 1)
    this.set('reprise_replay_throttled', { ...labels, reason: 'owner' }, governed === null ? 0 : 1)
    if (role === 'active') return
    this.seeProgress(controller, version, labels)
    const replayState = health !== 'running' ? health : controller.readiness.caughtUp(version) ? 'caught-up' : 'replaying'
    for (const each of replayStates) this.set('reprise_replay_state', { ...labels, state: each }, each === replayState ? 1 : 0)
    this.set('reprise_replay_throttled_per_second', labels, governed ?? Number.NaN)
    this.set('reprise_replay_caught_up', labels, controller.readiness.caughtUp(version) ? 1 : 0)
    for (const { name, pass } of controller.readiness.gates(version)) this.set('reprise_gate_pass', { ...labels, gate: name }, pass ? 1 : 0)
  }

  private seeProgress(controller: JobController, version: number, labels: Labels): void {
    const progress = controller.readiness.progress(version)
    if (progress === undefined) return
    this.set('reprise_replay_progress_ratio', labels, progress.ratio)
    this.set('reprise_replay_remaining_records', labels, Math.max(0, progress.target - progress.done))
    this.set('reprise_replay_rate_records_per_second', labels, progress.recordsPerSecond ?? Number.NaN)
    this.set('reprise_replay_eta_seconds', labels, progress.eta.seconds ?? Number.NaN)
  }

  private set(name: Looked, labels: Labels, value: number): void {
    this.seen.get(name)!.push([labels, value])
  }

  private async forget(job: string, version: number): Promise<void> {
    const name = `${job} v${version}`
    if (this.forgotten.has(name)) return
    this.forgotten.add(name)
    await this.metrics.forget({ job, version: `v${version}` })
  }
}
