import type { Clock } from '../../engine/ports/world.ts'

/** A clock that stands still until it is told to move. */
export class ManualClock implements Clock {
  private time: number
  private readonly from: number
  private sleepers: { at: number; wake: () => void }[] = []

  constructor(startAt: number) {
    this.time = startAt
    this.from = startAt
  }

  now(): number {
    return this.time
  }

  monotonic(): number {
    return this.time - this.from
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const onAbort = () => this.wake(sleeper)
      const wake = () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }
      const sleeper = { at: this.time + ms, wake }
      this.sleepers.push(sleeper)
      signal?.addEventListener('abort', onAbort)
    })
  }

  yield(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve))
  }

  /** Moves time and wakes who slept until then, in the order of their times. */
  advance(ms: number): void {
    this.time += ms
    const due = this.sleepers.filter(({ at }) => at <= this.time).sort((a, b) => a.at - b.at)
    for (const sleeper of due) this.wake(sleeper)
  }

  /** Wakes all who sleep, before their time too: they look at what has changed, and sleep again. */
  wakeAll(): void {
    for (const sleeper of [...this.sleepers]) this.wake(sleeper)
  }

  private wake(sleeper: { at: number; wake: () => void }): void {
    this.sleepers = this.sleepers.filter((other) => other !== sleeper)
    sleeper.wake()
  }
}
