import type { Clock } from '../engine/ports/world.ts'

/** Fills at a rate, and is emptied by what is taken; that may be more than there is, and is made up for. */
export class TokenBucket {
  private readonly clock: Pick<Clock, 'monotonic'>
  private readonly burstSeconds: number
  private perSecond: number | null = null
  private saved = 0
  private at = 0

  /** @param burstSeconds what may be saved up while nothing is taken, in seconds of the rate; a quarter of it is worth a slice. */
  constructor(clock: Pick<Clock, 'monotonic'>, burstSeconds: number) {
    this.clock = clock
    this.burstSeconds = burstSeconds
  }

  /** Null: no limit; 0: nothing at all. Another rate begins empty. */
  set rate(rate: number | null) {
    if (rate === this.perSecond) return
    this.perSecond = rate
    this.saved = 0
    this.at = this.clock.monotonic()
  }

  /** What may be taken now; 0 until it is worth a slice. Undefined: no limit. */
  get allowance(): number | undefined {
    if (this.perSecond === null) return undefined
    this.fill()
    return this.saved >= this.least ? this.saved : 0
  }

  take(count: number): void {
    if (this.perSecond !== null) this.saved -= count
  }

  /** How long until there is an allowance, in ms; 0: there is one. Undefined: that is no question of time. */
  get waitMs(): number | undefined {
    if (this.perSecond === null || this.perSecond === 0) return undefined
    this.fill()
    return Math.ceil((Math.max(0, this.least - this.saved) / this.perSecond) * 1000)
  }

  private get least(): number {
    return Math.max(1, (this.perSecond! * this.burstSeconds) / 4)
  }

  private fill(): void {
    const now = this.clock.monotonic()
    const most = Math.max(1, this.perSecond! * this.burstSeconds)
    this.saved = Math.min(this.saved + ((now - this.at) / 1000) * this.perSecond!, most)
    this.at = now
  }
}
