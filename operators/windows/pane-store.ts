import type { EpochMs, Key } from '../../engine/model/record.ts'
import type { Store, Stores } from '../../engine/ports/state.ts'
import type { Accumulator, CompiledAggregate } from '../aggregates/compile.ts'
import type { SlidingSpec } from './spec.ts'

/** Records of a pane that are late for its first windows: they count from the window that ends at `from` on. */
export interface ApartPart {
  readonly from: EpochMs
  readonly acc: Accumulator
}

/**
 * What a sliding window keeps: time is cut into panes as long as the greatest common divisor of size and slide, so that each record goes to one
 * pane and each window is a row of panes. Panes go by number: pane p is [p * paneMs, (p + 1) * paneMs).
 * Owns: the store of its name, by (start of the pane, key), and `.apart` beside it.
 */
export class PaneStore<T> {
  readonly cells: Store<Accumulator>
  readonly apart: Store<ApartPart[]>
  readonly paneMs: number
  /** Panes of a window. */
  readonly width: number
  readonly sizeMs: number
  readonly slideMs: number
  private readonly aggregate: CompiledAggregate<T, unknown>

  constructor(spec: SlidingSpec, aggregate: CompiledAggregate<T, unknown>, stores: Stores, name: string) {
    this.cells = stores.store(name)
    this.apart = stores.store(`${name}.apart`)
    this.paneMs = greatestCommonDivisor(spec.sizeMs, spec.slideMs)
    this.width = spec.sizeMs / this.paneMs
    this.sizeMs = spec.sizeMs
    this.slideMs = spec.slideMs
    this.aggregate = aggregate
  }

  /** The last window end up to `time`; infinite times stay what they are. */
  endUpTo(time: EpochMs): EpochMs {
    return Number.isFinite(time) ? Math.floor((time - this.sizeMs) / this.slideMs) * this.slideMs + this.sizeMs : time
  }

  /** End of the first window with the pane. */
  firstEnd(pane: number): EpochMs {
    return Math.ceil(((pane + 1) * this.paneMs - this.sizeMs) / this.slideMs) * this.slideMs + this.sizeMs
  }

  /** End of the last window with the pane. */
  lastEnd(pane: number): EpochMs {
    return Math.floor((pane * this.paneMs) / this.slideMs) * this.slideMs + this.sizeMs
  }

  has(pane: number, key: Key): boolean {
    const start = pane * this.paneMs
    return this.cells.group(start)?.has(key) === true || this.apart.group(start)?.has(key) === true
  }

  /** All panes with keys, in no order. */
  withKeys(): Set<number> {
    const starts = [...this.cells.groups(), ...this.apart.groups()] as number[]
    return new Set(starts.map((start) => start / this.paneMs))
  }

  /** The keys of a pane: those of its cells in canonical order, then those that only have parts apart. */
  keys(pane: number): Key[] {
    const start = pane * this.paneMs
    const cells = this.cells.group(start)
    const keys = cells?.keys() ?? []
    for (const key of this.apart.group(start)?.keys() ?? []) if (cells?.has(key) !== true) keys.push(key)
    return keys
  }

  /** Parts of a pane that don't count in the window that ends at `end`. */
  *partsAfter(pane: number, end: EpochMs): Iterable<{ readonly key: Key; readonly from: EpochMs }> {
    const apart = this.apart.group(pane * this.paneMs)
    for (const key of apart?.keys() ?? []) for (const { from } of apart!.get(key)!) if (from > end) yield { key, from }
  }

  /** Merges what a pane has of a key, as far as it counts in the window that ends at `end`, into `acc`; a copy when that is undefined. */
  fold(acc: Accumulator | undefined, pane: number, key: Key, end: EpochMs): Accumulator | undefined {
    const start = pane * this.paneMs
    let folded = acc
    const cell = this.cells.group(start)?.get(key)
    if (cell !== undefined) folded = this.joined(folded, cell)
    const parts = this.apart.group(start)?.get(key)
    if (parts !== undefined) for (const part of parts) if (part.from <= end) folded = this.joined(folded, part.acc)
    return folded
  }

  /** All of a key in the window that ends at `end`. */
  window(end: EpochMs, key: Key): Accumulator | undefined {
    const to = end / this.paneMs
    let folded: Accumulator | undefined
    for (let pane = to - this.width; pane < to; pane++) folded = this.fold(folded, pane, key, end)
    return folded
  }

  /** @param start of the pane. @returns whether the key is new in it. Throws what the job's functions throw; nothing is changed then. */
  add(start: Key, key: Key, record: T): boolean {
    const group = this.cells.openGroup(start)
    const entry = group.edit(key)
    const acc = entry.value
    if (acc !== undefined) {
      this.aggregate.add(acc, record)
      return false
    }
    try {
      entry.value = this.aggregate.create(record)
    } catch (error) {
      group.remove(key)
      throw error
    }
    return this.apart.group(start)?.has(key) !== true
  }

  /** Adds a record that counts from the window that ends at `from` on. Throws what the job's functions throw; nothing is changed then. */
  addApart(pane: number, key: Key, from: EpochMs, record: T): void {
    const start = pane * this.paneMs
    const known =
      this.apart
        .group(start)
        ?.get(key)
        ?.findIndex((part) => part.from === from) ?? -1
    if (known >= 0) {
      this.aggregate.add(this.apart.openGroup(start).edit(key).value![known]!.acc, record)
      return
    }
    const part = { from, acc: this.aggregate.create(record) }
    const entry = this.apart.openGroup(start).edit(key)
    entry.value = [...(entry.value ?? []), part].sort((a, b) => a.from - b.from)
  }

  remove(pane: number): void {
    const start = pane * this.paneMs
    this.cells.removeGroup(start)
    this.apart.removeGroup(start)
  }

  private joined(acc: Accumulator | undefined, other: Accumulator): Accumulator {
    if (acc === undefined) return this.aggregate.copy(other)
    this.aggregate.merge(acc, other)
    return acc
  }
}

export function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}
