import type { Clock } from '../engine/ports/world.ts'

/** What may be saved up while nothing is taken, in seconds of the rate. */
const burstSeconds = 0.2

/** How fast a version may take records: a bucket that fills at the rate, and is emptied by what is taken. */
export class Pace {
  private readonly clock: Pick<Clock, 'monotonic' | 'sleep'>
  private rate: number | null = null
  private saved = 0
  private at = 0

  constructor(clock: Pick<Clock, 'monotonic' | 'sleep'>) {
    this.clock = clock
  }

  /** Records a second; null: no limit, 0: none at all. */
  set recordsPerSecond(rate: number | null) {
    if (rate === this.rate) return
    this.rate = rate
    this.saved = 0
    this.at = this.clock.monotonic()
  }

  /** Records that may be taken now; 0 until it is worth a slice. Undefined: no limit. */
  get allowance(): number | undefined {
    if (this.rate === null) return undefined
    this.fill()
    return this.saved >= this.least ? Math.floor(this.saved) : 0
  }

  /** May be more than was allowed by a few: that is made up for. */
  took(records: number): void {
    if (this.rate !== null) this.saved -= records
  }

  /** Resolves when more may be taken; undefined: that is no question of time. */
  refilled(): Promise<void> | undefined {
    if (this.rate === null || this.rate === 0) return undefined
    this.fill()
    const missing = this.least - this.saved
    return missing > 0 ? this.clock.sleep(Math.ceil((missing / this.rate) * 1000)) : undefined
  }

  private get least(): number {
    return Math.max(1, (this.rate! * burstSeconds) / 4)
  }

  private fill(): void {
    const now = this.clock.monotonic()
    this.saved = Math.min(this.saved + ((now - this.at) / 1000) * this.rate!, Math.max(1, this.rate! * burstSeconds))
    this.at = now
  }
}
