import type { Clock } from '../../engine/ports/world.ts'

/** Time that passes only when told to. */
export class SimClock implements Clock {
  private time: number
  private readonly sleepers = new Set<{ readonly at: number; readonly wake: () => void }>()

  constructor(time = 1_700_000_000_000) {
    this.time = time
  }

  now(): number {
    return this.time
  }

  monotonic(): number {
    return this.time
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const sleeper = { at: this.time + ms, wake }
      const { sleepers } = this
      sleepers.add(sleeper)
      signal?.addEventListener('abort', wake, { once: true })
      function wake() {
        sleepers.delete(sleeper)
        signal?.removeEventListener('abort', wake)
        resolve()
      }
    })
  }

  async yield(): Promise<void> {}

  /** Wakes those whose time has come, in its order. */
  advance(ms: number): void {
    this.time += ms
    const due = [...this.sleepers].filter(({ at }) => at <= this.time).sort((a, b) => a.at - b.at)
    for (const { wake } of due) wake()
  }
}
