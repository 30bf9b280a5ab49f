const guessesMax = 20
const windowMs = 60_000
const addressesMax = 10_000

/** Counts calls without a valid token, by address, so that they are not answered, and written down, without end. */
export class FailedGuesses {
  private readonly now: () => number
  private readonly byAddress = new Map<string, { readonly since: number; readonly count: number }>()

  /** @param now milliseconds that never go back. */
  constructor(now: () => number = () => performance.now()) {
    this.now = now
  }

  /** One more. @returns for how many seconds no more are looked at: 0 for the first twenty within a minute. */
  failed(address: string): number {
    const found = this.byAddress.get(address)
    const { since, count } = found !== undefined && found.since + windowMs > this.now() ? found : { since: this.now(), count: 0 }
    // The one that was counted last is the last to be forgotten.
    this.byAddress.delete(address)
    this.byAddress.set(address, { since, count: count + 1 })
    if (this.byAddress.size > addressesMax) this.byAddress.delete(this.byAddress.keys().next().value!)
    return count < guessesMax ? 0 : Math.ceil((since + windowMs - this.now()) / 1000)
  }
}
