import type { EpochMs } from '../model/record.ts'
import { NextChange } from './next-change.ts'

/** How far each source task of a version has come in event time, so that none runs far ahead of the others. */
export class DriftBoard {
  private readonly reached = new Map<number, EpochMs>()
  private readonly posted = new NextChange()

  /** Infinity: the task has nothing to read. */
  post(task: number, time: EpochMs): void {
    if (this.reached.get(task) === time) return
    this.reached.set(task, time)
    this.posted.tell()
  }

  /** The lowest of the other tasks. */
  frontier(task: number): EpochMs {
    let lowest = Number.POSITIVE_INFINITY
    for (const [other, time] of this.reached) if (other !== task && time < lowest) lowest = time
    return lowest
  }

  /** Resolves at the next post that changes something. */
  changed(): Promise<void> {
    return this.posted.changed()
  }
}
