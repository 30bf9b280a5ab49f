import { mkdirSync } from 'node:fs'
import { realClock } from '../deploy/real-clock.ts'
import type { TaskState } from '../engine/ports/state.ts'
import { noMetrics, type Probe, silentLogger } from '../engine/ports/world.ts'
import type { JobPlan, TaskPlan } from '../engine/runtime/plan.ts'
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
  dir,
  memoryBytesMax = roomyBytes,
  probe,
}: {
  dir: string
  memoryBytesMax: number | undefined
  probe: Probe
}): BenchState {
  mkdirSync(dir, { recursive: true })
  throw new Error(
    `not written yet ${memoryBytesMax} ${typeof openTaskState} ${typeof realClock} ${typeof noMetrics} ${typeof probe} ${typeof silentLogger}`,
  )
}
