import { PerformanceObserver, performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Pause {
  /** On the clock of performance.now(). */
  readonly start: number
  readonly ms: number
}

/** Notes every stop of this thread for garbage collection. */
export class GcPauses {
  private readonly pauses: Pause[] = []
  private readonly observer = new PerformanceObserver((list) => this.note(list.getEntries()))

  constructor() {
    this.observer.observe({ entryTypes: ['gc'] })
  }

  /** Entries reach the observer a turn of the event loop later: waits for those. */
  async stop(): Promise<readonly Pause[]> {
    await sleep(20)
    this.note(this.observer.takeRecords())
    this.observer.disconnect()
    return this.pauses
  }

  private note(entries: readonly { startTime: number; duration: number }[]): void {
    for (const { startTime, duration } of entries) this.pauses.push({ start: startTime, ms: duration })
  }
}

/** How much of [from, to) was spent in pauses, ms. */
export function pausedWithin(pauses: readonly Pause[], from: number, to: number): number {
  let sum = 0
  for (const { start, ms } of pauses) sum += Math.max(0, Math.min(to, start + ms) - Math.max(from, start))
  return sum
}

export const now = (): number => performance.now()
