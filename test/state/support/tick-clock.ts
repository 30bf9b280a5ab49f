import type { Clock } from '../../../engine/ports/world.ts'

/** A clock that moves on a little each time it is looked at, so that budgets run out the same way in each run. */
export class TickClock implements Clock {
  private time = 0
  private readonly tickMs: number

  constructor(tickMs = 0.05) {
    this.tickMs = tickMs
  }

  now(): number {
    return 1_700_000_000_000 + this.monotonic()
  }

  monotonic(): number {
    this.time += this.tickMs
    return this.time
  }

  /** Nobody is woken by it: all work is paced by steps. */
  sleep(_ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }))
  }

  yield(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve))
  }
}
