import type { TaskFacts } from '../../engine/runtime/steering.ts'

export type Known = readonly [version: number, facts: TaskFacts]

/**
 * What a thread is told of how far others have come. While it has not taken in what it was told last, only the newest of each task is kept: one
 * that is busy for seconds has not thousands of messages to go through then.
 */
export class News {
  private readonly send: (known: readonly Known[]) => void
  private readonly newest = new Map<string, Known>()
  private underWay = 0

  constructor(send: (known: readonly Known[]) => void) {
    this.send = send
  }

  add(version: number, facts: TaskFacts): void {
    this.newest.set(`${version}/${facts.task}`, [version, facts])
    if (this.underWay === 0) this.flush()
  }

  /** All that is known, at once. */
  flush(): void {
    if (this.newest.size === 0) return
    this.underWay++
    this.send([...this.newest.values()])
    this.newest.clear()
  }

  /** It has taken in one message. */
  taken(): void {
    this.underWay--
    if (this.underWay === 0) this.flush()
  }
}
