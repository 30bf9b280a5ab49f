import type { Offset } from '../../model/record.ts'
import type { BlockEntry } from './frame.ts'

/** Where the blocks of one partition lie in one file, in offset order. Typed arrays: a full log file of small commits has a quarter of a million. */
export class BlockTable {
  count = 0
  /** Of all blocks. */
  bytes = 0
  bases = new Float64Array(4)
  appendTimes = new Float64Array(4)
  counts = new Uint32Array(4)
  positions = new Uint32Array(4)
  lengths = new Uint32Array(4)
  checks = new Uint32Array(4)

  add(entry: BlockEntry): void {
    const i = this.count
    if (i === this.bases.length) this.grow()
    this.bases[i] = entry.baseOffset
    this.appendTimes[i] = entry.appendTime
    this.counts[i] = entry.count
    this.positions[i] = entry.position
    this.lengths[i] = entry.length
    this.checks[i] = entry.check
    this.count = i + 1
    this.bytes += entry.length
  }

  get from(): Offset {
    return this.bases[0]!
  }

  get to(): Offset {
    return this.endOf(this.count - 1)
  }

  endOf(i: number): Offset {
    return this.bases[i]! + this.counts[i]!
  }

  /** The first block that ends above `offset`; `count` when there is none. Where a stretch ends at `offset`: the first block behind it. */
  find(offset: Offset): number {
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.endOf(middle) > offset) high = middle
      else low = middle + 1
    }
    return low
  }

  entry(i: number): Omit<BlockEntry, 'topic' | 'partition'> {
    return {
      baseOffset: this.bases[i]!,
      count: this.counts[i]!,
      appendTime: this.appendTimes[i]!,
      position: this.positions[i]!,
      length: this.lengths[i]!,
      check: this.checks[i]!,
    }
  }

  private grow(): void {
    const size = this.bases.length * 2
    const wider = <A extends Float64Array | Uint32Array>(array: A, made: A): A => {
      made.set(array)
      return made
    }
    this.bases = wider(this.bases, new Float64Array(size))
    this.appendTimes = wider(this.appendTimes, new Float64Array(size))
    this.counts = wider(this.counts, new Uint32Array(size))
    this.positions = wider(this.positions, new Uint32Array(size))
    this.lengths = wider(this.lengths, new Uint32Array(size))
    this.checks = wider(this.checks, new Uint32Array(size))
  }
}
