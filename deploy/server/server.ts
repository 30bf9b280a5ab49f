import { setMaxListeners } from 'node:events'
import { statfs } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { StreamError } from '../../engine/errors.ts'
import type { EmbeddedLog } from '../../engine/log/embedded/embedded-log.ts'
import type { Logger, Probe } from '../../engine/ports/world.ts'
import { defaultRuntimeSettings } from '../../engine/runtime/settings.ts'
import { jobsOf } from '../../replay/control-log.ts'
import { BundleStore } from '../bundle-store.ts'
import { DataDirectory } from '../data-directory.ts'
import { failAt } from '../fail-at.ts'
import { PrometheusMetrics } from '../observability/metrics.ts'
import { unledWriter, type Writer } from '../output-owner.ts'
import { realClock } from '../real-clock.ts'
import type { Settings } from '../settings.ts'
import { AuditLog } from './audit-log.ts'
import { makeApp } from './http/app.ts'
import { IngestProducers } from './ingest-producers.ts'
import { inspectBundle } from './inspect-bundle.ts'
import { type ControllerWorld, JobController } from './job-controller.ts'
import { KnownAnswers } from './known-answers.ts'
import { isLoopback } from './loopback.ts'
import { MemoryWatch } from './memory-watch.ts'
import { Operations } from './operations.ts'
import { ServerMetrics } from './server-metrics.ts'
import { Tokens } from './tokens.ts'
import { VersionMetrics } from './version-metrics.ts'

export interface ServerOptions {
  readonly directory: string
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
  /** Also of who calls from this machine. Needed anyway where it listens on another address. */
  readonly requireTokens: boolean
  readonly logger: Logger
  readonly settings: Settings
  readonly memoryBytesMax: number
  readonly limits: ControllerWorld['limits']
  readonly diskBytesMax: number
  readonly policy: ControllerWorld['policy']
  readonly bakeMs: number
  readonly holdMs: number
  /** Named point at which the process ends, for tests. */
  readonly failAt: string | undefined
}

interface Opened {
  readonly data: DataDirectory
  readonly metrics: PrometheusMetrics
  readonly probe: Probe
  readonly tokens: Tokens
  readonly answers: KnownAnswers
}

/**
 * The log, the controllers of all jobs, and the admin API in one process; the versions run in threads of their own.
 * Owns: the data directory, the controllers, the HTTP server.
 */
export class RepriseServer {
  readonly controllers = new Map<string, JobController>()
  readonly operations = new Operations(realClock)
  readonly metrics: PrometheusMetrics
  readonly bundles: BundleStore
  readonly audit: AuditLog
  readonly tokens: Tokens
  readonly answers: KnownAnswers
  readonly producers: IngestProducers
  private readonly left = new AbortController()
  /** Aborted when it begins to stop. */
  readonly leaving: AbortSignal = this.left.signal
  private closing: Promise<void> | undefined = undefined
  private readonly options: ServerOptions
  readonly probe: Probe
  private readonly data: DataDirectory
  private readonly opening = new Map<string, Promise<JobController>>()
  /** Jobs that can't be led, and why. */
  private readonly unled = new Map<string, string>()
  private app: FastifyInstance | undefined = undefined
  private readonly versionMetrics: VersionMetrics
  private readonly serverMetrics: ServerMetrics
  private readonly memory = MemoryWatch.ofProcess(realClock)
  private readonly over = new AbortController()
  private readonly timer: NodeJS.Timeout

  /** Errors: those of DataDirectory.open; EADDRINUSE as USAGE. */
  static async start(options: ServerOptions): Promise<RepriseServer> {
    const { directory, logger, memoryBytesMax, settings } = options
    const probe = failAt(options.failAt)
    const metrics = new PrometheusMetrics()
    const data = await DataDirectory.open({ directory, logger, metrics, probe, memoryBytesMax, log: settings.log, state: settings.state })
    let server: RepriseServer | undefined
    try {
      const tokens = await Tokens.open(data.log, realClock)
      const answers = await KnownAnswers.open(data.log, realClock)
      server = new RepriseServer(options, { data, metrics, probe, tokens, answers })
      server.checkTokens()
      for (const job of jobsOf(data.log)) await server.lead(job)
      await server.listen()
      return server
    } catch (error) {
      await (server ?? data).close()
      throw error
    }
  }

  private constructor(options: ServerOptions, { data, metrics, probe, tokens, answers }: Opened) {
    this.options = options
    // One for each body that is coming.
    setMaxListeners(0, this.leaving)
    this.metrics = metrics
    this.probe = probe
    this.data = data
    this.bundles = new BundleStore(data.log)
    this.tokens = tokens
    this.answers = answers
    this.producers = new IngestProducers({ log: data.log, logger: options.logger })
    this.audit = new AuditLog(data.log, realClock)
    this.versionMetrics = new VersionMetrics(metrics)
    this.serverMetrics = new ServerMetrics({ metrics, clock: realClock, directory: options.directory, log: data.log })
    this.memory.run(this.over.signal).catch((error: unknown) => this.logger.error({ error }, 'memory is not watched'))
    const look = () => Promise.all([this.lookAtVersions(), this.serverMetrics.look([...this.controllers.values()])])
    this.timer = setInterval(() => void look().catch((error: unknown) => this.logger.error({ error }, 'metrics are not up to date')), 1000)
  }

  get log(): EmbeddedLog {
    return this.data.log
  }

  /** FILE_UNWRITABLE unless a backup can be made there. */
  checkBackupTarget(to: string): Promise<void> {
    return this.data.checkBackupTarget(to)
  }

  /** @returns the bytes copied. */
  backup(to: string): Promise<number> {
    return this.data.backup(to)
  }

  get logger(): Logger {
    return this.options.logger
  }

  /** Metrics of versions are as of now after that: whoever has just promoted one sees it. */
  lookAtVersions(): Promise<void> {
    return this.versionMetrics.look([...this.controllers.values()])
  }

  /** What may still be written to the disk of the data directory. */
  async diskFreeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.options.directory)
    return bavail * bsize
  }

  get bakeMs(): number {
    return this.options.bakeMs
  }

  /** Whether a call without a token is refused. */
  get needsTokens(): boolean {
    return this.options.requireTokens || !isLoopback(this.options.host)
  }

  get stopping(): boolean {
    return this.leaving.aborted
  }

  /** Where it listens. */
  get url(): string {
    const { address, port, family } = this.app!.server.address() as AddressInfo
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
  }

  /** All jobs of the log. */
  writers(): Writer[] {
    const led = [...this.controllers.values()]
    return [...led, ...[...this.unled].map(([job, reason]) => unledWriter(this.log, job, reason, led))]
  }

  /** Those of which anything was decided: a first deployment may have been refused. */
  get jobs(): JobController[] {
    return [...this.controllers.values()].filter(({ control }) => control.events > 0)
  }

  /** JOB_UNKNOWN. */
  known(job: string): JobController {
    const controller = this.jobs.find((each) => each.job === job)
    if (controller !== undefined) return controller
    const jobs = this.jobs.map((each) => each.job).join(', ')
    throw new StreamError('JOB_UNKNOWN', { job }, { fix: jobs === '' ? 'deploy one: reprise deploy job.ts' : `there are ${jobs}` })
  }

  /** One job that can't be led keeps no other from being served. */
  private async lead(job: string): Promise<void> {
    try {
      await this.controller(job)
    } catch (error) {
      this.logger.error({ job, error }, 'the job can not be served')
      this.unled.set(job, (error as Error).message)
    }
  }

  /** Of a job that may be new. */
  async controller(job: string): Promise<JobController> {
    if (this.stopping) throw new StreamError('SERVER_STOPPING')
    let opened = this.opening.get(job)
    if (opened === undefined) {
      opened = JobController.open(job, this.world(), (controller) => {
        this.controllers.set(job, controller)
        this.unled.delete(job)
      })
      this.opening.set(job, opened)
      // Asked for again it is tried anew.
      opened.catch(() => this.opening.delete(job))
    }
    return opened
  }

  /**
   * Says at once that it is not ready and refuses what would change something, lets the versions finish their slices and checkpoint, then stops
   * answering and closes the log. Done again it does nothing.
   */
  close(): Promise<void> {
    this.closing ??= this.closeAll()
    return this.closing
  }

  private async closeAll(): Promise<void> {
    this.left.abort()
    clearInterval(this.timer)
    this.serverMetrics.close()
    // While versions finish, who asks is told why, instead of finding nobody.
    const leave = (opened: Promise<JobController>) =>
      opened.then(
        (controller) => controller.close(),
        () => {},
      )
    await Promise.all([...this.opening.values()].map(leave))
    this.over.abort()
    await this.app?.close()
    await this.producers.close()
    await this.data.close()
  }

  private world(): ControllerWorld {
    const { directory, logger, settings, memoryBytesMax, limits, diskBytesMax, policy, bakeMs, holdMs, failAt } = this.options
    return {
      log: this.data.log,
      clock: realClock,
      logger,
      metrics: this.metrics,
      bundles: this.bundles,
      inspect: inspectBundle,
      writers: () => this.writers(),
      directory,
      settings: { ...defaultRuntimeSettings, ...settings.runtime },
      state: settings.state,
      memoryBytesMax,
      limits,
      memory: this.memory,
      diskBytesMax,
      policy,
      bakeMs,
      holdMs,
      probe: this.probe,
      failAt,
    }
  }

  private checkTokens(): void {
    if (!this.needsTokens || this.tokens.hasAdmin) return
    const { host, directory } = this.options
    throw new StreamError(
      'USAGE',
      { reason: `calls to ${host} need tokens, and there is none that can make others` },
      { fix: `reprise token create admin --scope admin --data ${directory}` },
    )
  }

  private async listen(): Promise<void> {
    const { host, port } = this.options
    this.app = await makeApp(this)
    try {
      await this.app.listen({ host, port })
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'EADDRINUSE' && code !== 'EACCES' && code !== 'EADDRNOTAVAIL') throw error
      throw new StreamError('USAGE', { reason: `can't listen on ${host}:${port} (${code})` }, { fix: 'choose another one with --port' })
    }
  }
}
