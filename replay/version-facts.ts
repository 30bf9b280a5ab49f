import type { EpochMs, Offset } from '../engine/model/record.ts'
import type { Positions, TaskFacts, Times } from '../engine/runtime/steering.ts'

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

/**
 * The latest times that tasks of a version that stands still have come to, where they differ: what one of them has given, another one has not, so
 * that there is no time to cut at. It comes to that where some tasks learned later than others that a partition was idle no more. Pure.
 */
export function unevenTimes({ tasks }: VersionFacts): Times | undefined {
  const watermarks = new Set(tasks.filter(({ timed }) => timed).map(({ watermark }) => watermark))
  const clocks = new Set(tasks.filter(({ clocked }) => clocked).map(({ processing }) => processing))
  if (watermarks.size <= 1 && clocks.size <= 1) return undefined
  return { watermark: highest([...watermarks], Number.NEGATIVE_INFINITY), processing: highest([...clocks], 0) }
}

/** Up to which the owner, whose tasks stand still at the same times, and the version that follows have given all results. Pure. */
export function cutTimes(owner: VersionFacts, next: VersionFacts): Times {
  const clocked = owner.tasks.filter(({ clocked }) => clocked)
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
