import type { EmbeddedLog } from '../../engine/log/embedded/embedded-log.ts'
import type { Clock, Logger, Metrics } from '../../engine/ports/world.ts'
import type { RuntimeSettings } from '../../engine/runtime/settings.ts'
import type { TaskFacts } from '../../engine/runtime/steering.ts'
import { alive, type ControlState, type VersionState } from '../../replay/control-state.ts'
import { VersionBoard } from '../../replay/version-board.ts'
import type { BundleStore } from '../bundle-store.ts'
import { DiskWatch } from './disk-watch.ts'
import type { MemoryWatch } from './memory-watch.ts'
import { StandingPins } from './standing-pins.ts'
import { diskUseOf } from './version-disk.ts'
import { VersionHost, type VersionLimits } from './version-host.ts'
import type { ThreadFailure } from './version-messages.ts'

export interface ThreadsWorld {
  readonly log: EmbeddedLog
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
  readonly bundles: BundleStore
  /** The data directory. */
  readonly directory: string
  readonly settings: RuntimeSettings
  readonly state: { readonly mergeBytesMin: number }
  readonly memoryBytesMax: number
  readonly limits: VersionLimits
  readonly memory: MemoryWatch
  /** What a version may have on disk for itself; infinite: as much as there is. */
  readonly diskBytesMax: number
  /** Named point at which the process ends, for tests. */
  readonly failAt: string | undefined
}

const graceMs = 10_000

/**
 * The threads of one job's versions, and what they tell each other: every one knows what was decided, and how far the version that publishes
 * has come.
 * Invariant: a thread is started with a state at least as new as any hold that was asked for.
 */
export class VersionThreads {
  /** What is decided, and where all tasks stand. */
  readonly board: VersionBoard
  private readonly job: string
  private readonly world: ThreadsWorld
  private readonly hosts = new Map<number, VersionHost>()
  /** By version: see `takeLatency`. */
  private readonly latencies = new Map<number, number>()
  private readonly onEnd: (version: number, failure: ThreadFailure | undefined) => void
  private readonly disk: DiskWatch
  private readonly standing: StandingPins
  private readonly sourcesOf: (version: number) => readonly string[]
  private readonly watching: Promise<void>
  private readonly over = new AbortController()

  /**
   * @param onEnd told of each thread that has ended: without a failure because it was told to.
   * @param sourcesOf source topics of a version that is alive: known before it is decided about.
   */
  constructor(
    job: string,
    world: ThreadsWorld,
    onEnd: (version: number, failure: ThreadFailure | undefined) => void,
    sourcesOf: (version: number) => readonly string[],
  ) {
    this.job = job
    this.world = world
    this.onEnd = onEnd
    this.sourcesOf = sourcesOf
    this.standing = new StandingPins(world.log)
    this.board = new VersionBoard((control) => {
      for (const host of this.hosts.values()) this.tell(host, control)
      this.keepInput()
    })
    const { log, directory, clock, logger, diskBytesMax } = world
    this.disk = new DiskWatch({
      ...{ clock, logger, bytesMax: diskBytesMax },
      running: () => [...this.hosts.keys()].flatMap((version) => this.board.control.versions.get(version) ?? []),
      useOf: (version) => diskUseOf(log, directory, job, version),
      end: async (version, failure) => this.hosts.get(version)?.kill(failure),
    })
    this.watching = this.disk.run(this.over.signal)
  }

  get running(): ReadonlySet<number> {
    return new Set(this.hosts.keys())
  }

  get(version: number): VersionHost | undefined {
    return this.hosts.get(version)
  }

  /** The longest a record took through it since the last call, from its append until what came of it was published, ms; undefined: none did. */
  takeLatency(version: number): number | undefined {
    const latency = this.latencies.get(version)
    this.latencies.delete(version)
    return latency
  }

  /** What it has on disk for itself; undefined: nobody has looked yet. */
  diskBytes(version: number): number | undefined {
    return this.disk.bytes.get(version)
  }

  async start({ version, sha256, parallelism, starts }: VersionState): Promise<void> {
    const { log, bundles, directory, settings, state, memoryBytesMax, failAt, logger } = this.world
    const bundle = await bundles.get(sha256)
    // Between here and the thread's first message nothing awaits: it misses no decision.
    if (this.hosts.has(version) || this.over.signal.aborted) return
    const { board } = this
    const facts = [...board.control.versions.keys()].flatMap((other) => [...board.tasksOf(other)].map((known) => [other, known] as const))
    const host: VersionHost = new VersionHost(
      {
        handle: log.handle(),
        directory,
        job: this.job,
        bundle,
        version,
        parallelism,
        starts,
        settings,
        state,
        memoryBytesMax,
        control: board.control,
        facts,
        failAt,
      },
      {
        ...this.world,
        onFacts: (own) => this.learned(version, own),
        onBegun: () => this.keepInput(),
        onEnd: (failure) => {
          this.hosts.delete(version)
          this.keepInput()
          this.onEnd(version, failure)
        },
      },
    )
    this.hosts.set(version, host)
    logger.info({ job: this.job, version: `v${version}` }, 'version started')
  }

  async stop(version: number): Promise<void> {
    await this.hosts.get(version)?.stop(graceMs)
  }

  /** Finishes all; none is started any more. */
  async close(): Promise<void> {
    this.over.abort()
    await Promise.all([...this.hosts.keys()].map((version) => this.stop(version)))
    await this.watching
    this.standing.keep(new Map())
  }

  /** Of those that no thread keeps it for. */
  private keepInput(): void {
    const standing = [...this.board.control.versions.values()].filter((state) => alive(state) && !this.hosts.get(state.version)?.keepsInput)
    this.standing.keep(new Map(standing.map(({ version }) => [version, this.sourcesOf(version)])))
  }

  private learned(version: number, facts: TaskFacts): void {
    this.board.learn(version, facts)
    const { latencyMs } = facts
    if (latencyMs !== undefined) this.latencies.set(version, Math.max(latencyMs, this.latencies.get(version) ?? 0))
    if (version !== this.board.control.owner) return
    for (const [other, host] of this.hosts) if (other !== version) host.news.add(version, facts)
  }

  /** How far the owner has come goes first: who is to follow it must not take it for one of whom nothing is known. */
  private tell(host: VersionHost, control: ControlState): void {
    const { owner } = control
    if (owner !== undefined && owner !== host.version) for (const facts of this.board.tasksOf(owner)) host.news.add(owner, facts)
    host.news.flush()
    host.send({ kind: 'control', control })
  }
}
