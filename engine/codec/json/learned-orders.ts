import type { KeyOrder } from './key-order.ts'
import { keyOrderOf } from './key-order.ts'
import { compileOrder, type DecodeRun } from './learned-order.ts'
import type { Plan } from './plan.ts'
import type { StringCache } from './string-cache.ts'
import type { DecodeOne } from './value-source.ts'

interface Learned {
  readonly signature: string
  readonly run: DecodeRun
  hits: number
}

const ORDERS_MAX = 4
const CANDIDATES_MAX = 16
/** An order is compiled when it is seen for the second time, so that a single odd record costs nothing. */
const SIGHTINGS = 2
/** Every miss is looked at in the beginning; then one of 16, and after each replaced order half as many, so that changing input costs little. */
const MISSES_ALL_LOOKED_AT = 64
const LOOK_EVERY = 16
const LOOK_EVERY_MAX = 1 << 16

/**
 * Which key orders are compiled, and in which order they are tried. It only decides how fast a record is decoded.
 * Invariant: at most ORDERS_MAX orders and CANDIDATES_MAX candidates are kept, and code is generated ever more rarely.
 */
export class LearnedOrders {
  private readonly learned: Learned[] = []
  private readonly candidates = new Map<string, number>()
  private current = 0
  private misses = 0
  private lookEvery = 1
  private readonly plan: Plan
  private readonly nested: readonly (DecodeOne | undefined)[]
  private readonly strings: StringCache

  constructor(plan: Plan, nested: readonly (DecodeOne | undefined)[], strings: StringCache) {
    this.plan = plan
    this.nested = nested
    this.strings = strings
  }

  /** Orders compiled right now. */
  get count(): number {
    return this.learned.length
  }

  /** Decodes as far as the learned orders reach, the one that matched last first; like DecodeRun. */
  readonly run: DecodeRun = (bytes, view, base, ends, endsAt, from, to, out, shift) => {
    let i = from
    for (let missed = 0; missed < this.learned.length; missed++) {
      const order = this.learned[this.current] as Learned
      const next = order.run(bytes, view, base, ends, endsAt, i, to, out, shift)
      if (next > i) {
        order.hits += next - i
        if (next === to) return to
        i = next
        missed = 0 // this order has just missed record `next`
      }
      this.current = this.current + 1 === this.learned.length ? 0 : this.current + 1
    }
    return i
  }

  /** Takes note of a record that no learned order matched and a later tier accepted. */
  observe(bytes: Buffer, start: number, end: number): void {
    this.misses++
    if (this.misses === MISSES_ALL_LOOKED_AT) this.lookEvery = Math.max(this.lookEvery, LOOK_EVERY)
    if (this.misses % this.lookEvery !== 0) return
    const order = keyOrderOf(this.plan, bytes, start, end)
    if (order === undefined || this.learned.some((known) => known.signature === order.signature)) return
    const sightings = (this.candidates.get(order.signature) ?? 0) + 1
    if (sightings >= SIGHTINGS) return this.learn(order)
    if (this.candidates.size === CANDIDATES_MAX) this.candidates.clear()
    this.candidates.set(order.signature, sightings)
  }

  private learn(order: KeyOrder): void {
    this.candidates.delete(order.signature)
    const learned = { signature: order.signature, run: compileOrder(this.plan, order, this.nested, this.strings), hits: 0 }
    if (this.learned.length < ORDERS_MAX) this.current = this.learned.push(learned) - 1
    else this.replaceLeastUsed(learned)
  }

  private replaceLeastUsed(learned: Learned): void {
    const least = Math.min(...this.learned.map(({ hits }) => hits))
    this.current = this.learned.findIndex(({ hits }) => hits === least)
    this.learned[this.current] = learned
    for (const order of this.learned) order.hits = 0
    this.lookEvery = Math.min(this.lookEvery * 2, LOOK_EVERY_MAX)
  }
}
