import type { EpochMs } from '../model/record.ts'

/** How far each source task of a version has come in event time, so that none runs far ahead of the others. */
export class DriftBoard {
  private readonly reached = new Map<number, EpochMs>()
  private waiting: (() => void)[] = []

  /** Infinity: the task has nothing to read. */
  post(task: number, time: EpochMs): void {
    if (this.reached.get(task) === time) return
    this.reached.set(task, time)
    const woken = this.waiting
    this.waiting = []
    for (const wake of woken) wake()
  }

  /** The lowest of the other tasks. */
  frontier(task: number): EpochMs {
    let lowest = Number.POSITIVE_INFINITY
    for (const [other, time] of this.reached) if (other !== task && time < lowest) lowest = time
    return lowest
  }

  /** Resolves at the next post that changes something. */
  changed(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve))
  }
}
