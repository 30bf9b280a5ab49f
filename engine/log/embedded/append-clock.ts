import type { EpochMs } from '../../model/record.ts'
import type { Clock } from '../../ports/world.ts'

/**
 * Append time: follows the monotonic clock from max(wall clock, last append time), so that it never goes back, whatever is done to the
 * wall clock. A log that was ahead of the wall clock stands still until that has caught up.
 */
export class AppendClock {
  private readonly clock: Clock
  private readonly wallAtStart: EpochMs
  private readonly monotonicAtStart: number
  private last: EpochMs

  constructor(clock: Clock, last: EpochMs) {
    this.clock = clock
    this.wallAtStart = clock.now()
    this.monotonicAtStart = clock.monotonic()
    this.last = last
  }

  /** Whole milliseconds; never below what it gave before. */
  now(): EpochMs {
    const time = Math.floor(this.wallAtStart + this.clock.monotonic() - this.monotonicAtStart)
    this.last = Math.max(this.last, time)
    return this.last
  }
}
