import type { Clock } from '../engine/ports/world.ts'

/** Work that nobody paces with steps goes on by itself, one turn in so many milliseconds. */
const idleMs = 5
const turnMs = 1
/** A turn ends after so many units also if the clock stands still. */
const unitsMax = 16_384
const unitsBetweenLooks = 32

/**
 * Deals out time to background work: each `step` of the owner gives one waiting worker a turn. What a worker does in its turn runs on
 * the owner's thread between slices, so it looks at `spent` after each unit of work and waits for the next turn when that says so.
 */
export class Pacer {
  private readonly clock: Clock
  private readonly waiting: ((endsAt: number) => void)[] = []
  private readonly closing = new AbortController()
  private sleeping = false

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** Waits for a turn. Rejects once closed. */
  turn(): Promise<Turn> {
    if (this.closing.signal.aborted) return Promise.reject(new Closed())
    return new Promise((resolve, reject) => {
      this.waiting.push((endsAt) => (this.closing.signal.aborted ? reject(new Closed()) : resolve(new Turn(this.clock, endsAt))))
      void this.wakeWhenIdle()
    })
  }

  /** Gives one worker a turn up to this time. */
  give(endsAt: number): void {
    this.waiting.shift()?.(endsAt)
  }

  /** Workers that wait are rejected with Closed. */
  close(): void {
    this.closing.abort()
    for (const wake of this.waiting.splice(0)) wake(0)
  }

  private async wakeWhenIdle(): Promise<void> {
    if (this.sleeping) return
    this.sleeping = true
    await this.clock.sleep(idleMs, this.closing.signal)
    this.sleeping = false
    this.give(this.clock.monotonic() + turnMs)
    if (this.waiting.length > 0) void this.wakeWhenIdle()
  }
}

export class Turn {
  private readonly clock: Clock
  private readonly endsAt: number
  private units = 0

  constructor(clock: Clock, endsAt: number) {
    this.clock = clock
    this.endsAt = endsAt
  }

  /** A unit of some microseconds was done. @returns whether the turn is over. */
  spent(units = 1): boolean {
    const before = this.units
    this.units += units
    if (this.units >= unitsMax) return true
    return Math.floor(before / unitsBetweenLooks) !== Math.floor(this.units / unitsBetweenLooks) && this.clock.monotonic() >= this.endsAt
  }
}

/** The state was closed while work was under way: not a fault. */
export class Closed extends Error {
  override readonly name = 'Closed'
}
