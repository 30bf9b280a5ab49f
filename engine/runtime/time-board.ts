import type { EpochMs } from '../model/record.ts'
import { NextChange } from './next-change.ts'

/** A time of each task of a version, for all of them to see: how far it has come, or when it has something to do. */
export class TimeBoard {
  private readonly posted = new Map<number, EpochMs>()
  private readonly next = new NextChange()

  /** Infinity: none. */
  post(task: number, time: EpochMs): void {
    if (this.posted.get(task) === time) return
    this.posted.set(task, time)
    this.next.tell()
  }

  /** @param except a task that is not asked for. */
  lowest(except?: number): EpochMs {
    let lowest = Number.POSITIVE_INFINITY
    for (const [task, time] of this.posted) if (task !== except && time < lowest) lowest = time
    return lowest
  }

  /** Calls `wake` at the next post that changes something. @returns what takes that back. */
  onChange(wake: () => void): () => void {
    return this.next.onChange(wake)
  }
}
