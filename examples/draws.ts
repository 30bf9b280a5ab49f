/**
 * A row of random numbers for each event, a function of (seed, event id) alone and of 32-bit integer arithmetic only:
 * any event can be made without those before it, and in any language.
 */
export class Draws {
  private readonly seed: number
  private state = 0

  constructor(seed: number) {
    this.seed = scramble(seed | 0)
  }

  /** Begins the row of this event. */
  begin(id: number): void {
    const high = Math.floor(id / 2 ** 32)
    this.state = scramble(scramble(id | 0) ^ Math.imul(high, 0x9e3779b1) ^ this.seed)
  }

  /** 0 <= integer < bound <= 2^32. */
  below(bound: number): number {
    this.state = (this.state + 0x9e3779b9) | 0
    return Math.floor(((scramble(this.state) >>> 0) / 2 ** 32) * bound)
  }

  /** True once in `times`. */
  once(times: number): boolean {
    return this.below(times) === 0
  }

  /** Lower-case letters. */
  letters(count: number): string {
    let text = ''
    for (let i = 0; i < count; i++) text += String.fromCharCode(97 + this.below(26))
    return text
  }
}

/** A bijection of 32-bit integers in which every input bit changes every output bit about half of the time. */
export function scramble(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d)
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b)
  return x ^ (x >>> 16)
}
