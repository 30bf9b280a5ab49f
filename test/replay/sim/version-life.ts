import { codeOf } from '../../../engine/errors.ts'
import type { Totals } from '../../../engine/model/slice.ts'
import type { Topology } from '../../../engine/model/topology.ts'
import type { Log } from '../../../engine/ports/log.ts'
import { noMetrics, noProbe, silentLogger } from '../../../engine/ports/world.ts'
import { runJob } from '../../../engine/runtime/job-run.ts'
import type { RuntimeSettings } from '../../../engine/runtime/settings.ts'
import type { TaskFacts } from '../../../engine/runtime/steering.ts'
import type { RunUntil } from '../../../engine/runtime/task-life.ts'
import { noPresent } from '../../../engine/task/present.ts'
import type { ControlState } from '../../../replay/control-state.ts'
import { VersionBoard } from '../../../replay/version-board.ts'
import { openTaskState } from '../../../state/task-state.ts'
import type { CheckpointDisk } from '../../sim/checkpoints.ts'
import type { Life } from '../../sim/life.ts'
import type { Random } from '../../support/random.ts'

/** To every life of a version. */
export type ToVersion =
  /** What is decided, and how far the owner has come. */
  | { readonly kind: 'control'; readonly control: ControlState; readonly owner: readonly TaskFacts[] }
  | { readonly kind: 'facts'; readonly version: number; readonly facts: TaskFacts }
  /** Who leads now knows nothing of it yet. */
  | { readonly kind: 'hello' }

/** To every leader. */
export type FromVersion =
  | { readonly kind: 'facts'; readonly facts: TaskFacts }
  | { readonly kind: 'stopped'; readonly code: string; readonly message: string }

/** What a version is, whichever life it is in. */
export interface VersionParts {
  readonly version: number
  readonly topology: Topology
  readonly parallelism: number
  /** By task. */
  readonly disks: Map<number, CheckpointDisk>
}

export interface VersionLifeWorld {
  readonly life: Life
  /** As this life reaches it. */
  readonly log: Log
  readonly random: Random
  readonly settings: RuntimeSettings
  readonly memoryBytesMax: number
  /** What is told reaches it; not yet, where it reads the control log late. */
  hears(): boolean
  tell(message: FromVersion): void
}

/** One life of a version: a thread with a board of its own, which is told what others decide and how far they have come. */
export class VersionLife {
  readonly version: number
  readonly life: Life
  readonly stop = new AbortController()
  outcome: { readonly totals: Totals } | { readonly error: unknown } | undefined = undefined
  private readonly board = new VersionBoard()
  private readonly tasksBegun = new Set<number>()
  private tasks = Number.POSITIVE_INFINITY
  private readonly parts: VersionParts
  private readonly world: VersionLifeWorld

  /** @param control what it begins with; may be long out of date. */
  constructor(parts: VersionParts, world: VersionLifeWorld, control: ControlState, facts: readonly (readonly [number, TaskFacts])[]) {
    this.version = parts.version
    this.life = world.life
    this.parts = parts
    this.world = world
    for (const [other, known] of facts) if (other !== parts.version) this.board.learn(other, known)
    this.board.control = control
  }

  /** All of its tasks have begun, and have pinned what they need. */
  get keepsInput(): boolean {
    return this.tasksBegun.size === this.tasks
  }

  get over(): boolean {
    return this.life.dead || this.outcome !== undefined
  }

  get error(): unknown {
    return this.outcome !== undefined && 'error' in this.outcome ? this.outcome.error : undefined
  }

  hear(message: ToVersion): void {
    if (this.over || !this.world.hears()) return
    if (message.kind === 'control') {
      const { owner } = message.control
      if (owner !== undefined && owner !== this.version) for (const facts of message.owner) this.board.learn(owner, facts)
      this.board.control = message.control
    }
    if (message.kind === 'facts') this.board.learn(message.version, message.facts)
    if (message.kind === 'hello') for (const facts of this.board.tasksOf(this.version)) this.world.tell({ kind: 'facts', facts })
  }

  begin(until: RunUntil): void {
    this.run(until).then(
      (totals) => {
        this.outcome = { totals }
      },
      (error: unknown) => {
        this.outcome = { error }
        if (!this.life.dead) this.world.tell({ kind: 'stopped', code: codeOf(error) ?? 'VERSION_CRASHED', message: String(error) })
      },
    )
  }

  private run(until: RunUntil): Promise<Totals> {
    const { version, topology, parallelism } = this.parts
    const { life, log, settings } = this.world
    const steering = this.board.steering(version)
    return runJob({
      load: () => ({ topology, present: noPresent() }),
      version,
      parallelism,
      steering: {
        ...steering,
        report: (task, facts) => {
          steering.report?.(task, facts)
          this.tasksBegun.add(task)
          this.tasks = facts.tasks
          this.world.tell({ kind: 'facts', facts })
        },
      },
      log,
      openState: async (plan) => this.openState(plan.id),
      clock: life.clock,
      logger: silentLogger,
      metrics: noMetrics,
      probe: noProbe,
      settings,
      until,
      stop: this.stop.signal,
    })
  }

  private openState(task: number) {
    const { version, topology, disks } = this.parts
    const { life, random, memoryBytesMax } = this.world
    return openTaskState({
      task: { job: topology.job, version, task, fingerprint: '', semantics: 1 },
      checkpoints: disks.get(task)!.mount(life, random),
      spill: null,
      settings: { memoryBytesMax },
      clock: life.clock,
      logger: silentLogger,
      metrics: noMetrics,
      probe: noProbe,
    })
  }
}
