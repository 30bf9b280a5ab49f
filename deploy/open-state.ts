import { mkdir, readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { unwritable } from '../engine/log/embedded/directory-lock.ts'
import { NodeFileSystem } from '../engine/log/embedded/node-file-system.ts'
import type { TaskState } from '../engine/ports/state.ts'
import { type Logger, type Metrics, noMetrics, type Probe } from '../engine/ports/world.ts'
import { type JobPlan, type TaskPlan, taskName, tasksPrefix } from '../engine/runtime/plan.ts'
import type { Present } from '../engine/task/present.ts'
import { semantics } from '../engine/task/task.ts'
import { fingerprint } from '../operators/fingerprint.ts'
import { DirectoryCheckpointStore } from '../state/directory-checkpoint-store.ts'
import { LevelSpillStore } from '../state/level-spill-store.ts'
import { openTaskState } from '../state/task-state.ts'
import { realClock } from './real-clock.ts'

export interface StateOptions {
  /** The data directory: `checkpoints/` and `spill/` have a folder for each task. */
  readonly directory: string
  readonly logger: Logger
  readonly metrics?: Metrics
  readonly probe: Probe
  /** State of all tasks together stays below this in memory; the rest goes to disk. */
  readonly memoryBytesMax: number
  readonly state?: { readonly mergeBytesMin: number }
}

const folders = ['checkpoints', 'spill']

/** The state of one task, as it was left. Nobody else may have it open. */
export async function openStateIn(
  { directory, logger, metrics = noMetrics, probe, memoryBytesMax, state }: StateOptions,
  plan: TaskPlan,
  job: JobPlan,
  { makeDate }: Present,
): Promise<TaskState> {
  const { version } = job
  const bound = logger.child({ job: job.topology.job, version: `v${version}`, task: plan.id })
  const checkpoints = checkpointsOf(directory, job.topology.job, version, plan.id)
  const spill = path.join(directory, 'spill', path.basename(checkpoints))
  for (const folder of [checkpoints, spill])
    await mkdir(folder, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
      throw unwritable(folder, error)
    })
  const files = new DirectoryCheckpointStore(new NodeFileSystem(checkpoints))
  await files.clearUnfinished()
  return openTaskState({
    task: { job: job.topology.job, version, task: plan.id, fingerprint: fingerprint(job.topology), semantics },
    checkpoints: files,
    spill: await LevelSpillStore.open(spill),
    settings: { memoryBytesMax: Math.floor(memoryBytesMax / job.tasks.length), ...state },
    clock: realClock,
    logger: bound,
    metrics,
    probe,
    makeDate,
  })
}

/** Where a task has its checkpoints. */
export const checkpointsOf = (directory: string, job: string, version: number, task: number): string =>
  path.join(directory, 'checkpoints', taskName(job, version, task))

/** Removes the state of all tasks of a version, which must have ended. Done again it does nothing. */
export async function removeStateOf(directory: string, job: string, version: number): Promise<void> {
  for (const folder of await stateFoldersOf(directory, job, version)) await rm(folder, { recursive: true })
}

/** Where all tasks of a version keep their state, as far as it is there. */
export async function stateFoldersOf(directory: string, job: string, version: number): Promise<string[]> {
  const found: string[] = []
  for (const folder of folders) {
    const parent = path.join(directory, folder)
    const names = await readdir(parent).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return []
      throw error
    })
    for (const name of names) if (name.startsWith(tasksPrefix(job, version))) found.push(path.join(parent, name))
  }
  return found
}
