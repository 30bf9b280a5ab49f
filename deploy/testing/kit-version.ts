import type { Totals } from '../../engine/model/slice.ts'
import type { Topology } from '../../engine/model/topology.ts'
import type { Log } from '../../engine/ports/log.ts'
import type { TaskState } from '../../engine/ports/state.ts'
import { type Clock, noMetrics, noProbe, silentLogger } from '../../engine/ports/world.ts'
import { runJob } from '../../engine/runtime/job-run.ts'
import type { RuntimeSettings } from '../../engine/runtime/settings.ts'
import type { Steering } from '../../engine/runtime/steering.ts'
import type { RunUntil } from '../../engine/runtime/task-life.ts'
import { noPresent } from '../../engine/task/present.ts'
import { MemoryCheckpointStore } from '../../state/memory-checkpoint-store.ts'
import { openTaskState } from '../../state/task-state.ts'

/** What the versions of one job share. */
export interface VersionWorld {
  readonly log: Log
  readonly clock: Clock
  readonly parallelism: number
  readonly settings: RuntimeSettings
  readonly memoryBytesMax: number
  /** Undefined: the version is alone. */
  steering(version: number): Steering | undefined
  /** Told when a task begins to wait, and when a life has ended with a failure. */
  stirred(): void
}

interface Running {
  readonly stop: AbortController
  readonly crash: AbortController
  readonly done: Promise<Totals>
  failure: { readonly error: unknown } | undefined
}

/** A version of a job, run in memory, and what is left of it between its lives. */
export class KitVersion {
  readonly number: number
  readonly topology: Topology
  readonly states = new Map<number, TaskState>()
  /** By task that waits: how many changes of the log it has seen. */
  readonly waiting = new Map<number, number>()
  running: Running | undefined
  private readonly checkpoints = new Map<number, MemoryCheckpointStore>()
  private readonly world: VersionWorld
  private readonly parallelism: number

  /** @param parallelism tasks of each stage; default: as the others have. */
  constructor(number: number, topology: Topology, world: VersionWorld, parallelism = world.parallelism) {
    this.number = number
    this.topology = topology
    this.world = world
    this.parallelism = parallelism
  }

  /** A new life of all its tasks. The former one must have ended. A failure is also kept in `running`. */
  run(until: RunUntil): Promise<Totals> {
    const { number, topology, waiting, world, parallelism } = this
    const { log, clock, settings } = world
    const stop = new AbortController()
    const crash = new AbortController()
    const steering = world.steering(number)
    waiting.clear()
    const done = runJob({
      load: () => ({ topology, present: noPresent() }),
      version: number,
      ...(steering === undefined ? {} : { steering }),
      parallelism,
      log,
      openState: async (plan) => this.openState(plan.id),
      clock,
      logger: silentLogger,
      metrics: noMetrics,
      probe: noProbe,
      settings,
      until,
      stop: stop.signal,
      crash: crash.signal,
      onWait: (task, seen) => {
        waiting.set(task, seen)
        world.stirred()
      },
    })
    const running: Running = { stop, crash, done, failure: undefined }
    this.running = running
    done.catch((error: unknown) => {
      running.failure = { error }
      world.stirred()
    })
    return done
  }

  private openState(task: number): TaskState {
    const { clock, memoryBytesMax } = this.world
    const checkpoints = this.checkpoints.get(task) ?? new MemoryCheckpointStore()
    this.checkpoints.set(task, checkpoints)
    const state = openTaskState({
      task: { job: this.topology.job, version: this.number, task, fingerprint: '', semantics: 1 },
      checkpoints,
      spill: null,
      settings: { memoryBytesMax },
      clock,
      logger: silentLogger,
      metrics: noMetrics,
      probe: noProbe,
    })
    this.states.set(task, state)
    return state
  }
}
