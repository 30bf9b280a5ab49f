import type { EpochMs, Offset } from '../engine/model/record.ts'
import type { Positions, TaskFacts } from '../engine/runtime/steering.ts'

/** What all tasks of a version have committed together. */
export interface VersionFacts {
  readonly tasks: readonly TaskFacts[]
  readonly positions: Positions
  /** Up to which results by event time are all given: the lowest of the tasks that give such, else of all. */
  readonly watermark: EpochMs
  readonly processing: EpochMs
}

/** Undefined: not every task has told of itself yet. Pure. */
export function versionFacts(known: Iterable<TaskFacts>): VersionFacts | undefined {
  const tasks = [...known].sort((a, b) => a.task - b.task)
  if (tasks.length === 0 || tasks.length < tasks[0]!.tasks) return undefined
  const positions = new Map<string, Offset>()
  for (const task of tasks) for (const [name, position] of task.positions) positions.set(name, position)
  return {
    tasks,
    positions,
    watermark: Math.min(...deciding(tasks).map(({ watermark }) => watermark)),
    processing: Math.min(...tasks.map(({ processing }) => processing)),
  }
}

export function heldFor({ tasks }: VersionFacts, hold: string): boolean {
  return tasks.every(({ held }) => held === hold)
}

/** Times up to which a version that stands still has given all results; or why there are none. */
export type CutTimes = { readonly watermark: EpochMs; readonly processing: EpochMs } | { readonly differ: string }

/**
 * Of the owner and the version that follows. Where tasks of the owner have come to different times, what one has given another has not:
 * there is no time to cut at. Pure.
 */
export function cutTimes(owner: VersionFacts, next: VersionFacts): CutTimes {
  const timed = owner.tasks.filter(({ timed }) => timed)
  if (new Set(timed.map(({ watermark }) => watermark)).size > 1)
    return { differ: 'tasks of the version that publishes have come to different watermarks' }
  const clocked = owner.tasks.filter(({ clocked }) => clocked)
  if (new Set(clocked.map(({ processing }) => processing)).size > 1)
    return { differ: 'tasks of the version that publishes have come to different processing times' }
  const all = [...deciding(owner.tasks), ...deciding(next.tasks)]
  const clocks = clocked.length > 0 ? [...clocked, ...next.tasks.filter((task) => task.clocked)] : [...owner.tasks, ...next.tasks]
  return {
    watermark: highest(
      all.map(({ watermark }) => watermark),
      Number.NEGATIVE_INFINITY,
    ),
    processing: highest(
      clocks.map(({ processing }) => processing),
      0,
    ),
  }
}

/** Tasks that have no input of their own have come to no time. */
function highest(times: readonly EpochMs[], least: EpochMs): EpochMs {
  return Math.max(least, ...times.filter(Number.isFinite))
}

/** Tasks whose watermark says what was given: where none gives results by time it makes no difference. */
function deciding(tasks: readonly TaskFacts[]): readonly TaskFacts[] {
  const timed = tasks.filter(({ timed }) => timed)
  return timed.length > 0 ? timed : tasks
}
