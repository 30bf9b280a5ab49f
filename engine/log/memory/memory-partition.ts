import { assert } from '../../assert.ts'
import type { BlockView, Chunk } from '../../block/block-view.ts'
import { StreamError } from '../../errors.ts'
import type { EpochMs, Offset } from '../../model/record.ts'
import type { Bounds, Pin, TopicInfo } from '../../ports/log.ts'
import { filterBlock, joinChunk, placeBlock } from './stored-block.ts'

/**
 * The records of one partition.
 * I1 blocks are in offset order and don't overlap; between them may be gaps (compacted away).
 * I2 0 <= start <= end, neither ever goes back.
 * I3 nothing at or above the lowest pin is removed.
 */
export class MemoryPartition {
  start: Offset = 0
  end: Offset = 0
  topic: TopicInfo
  private readonly number: number
  private blocks: BlockView[] = []
  private readonly pins = new Set<{ from: Offset }>()

  constructor(topic: TopicInfo, number: number) {
    this.topic = topic
    this.number = number
  }

  get bounds(): Bounds {
    return { start: this.start, end: this.end }
  }

  /** @param taken from `takeBlock`. @returns the base offset. */
  append(taken: Buffer, appendTime: EpochMs): Offset {
    const block = placeBlock(taken, this.end, appendTime)
    this.blocks.push(block)
    this.end = block.endOffset
    return block.baseOffset
  }

  /** Blocks from `position` on, at least one, at most about `bytesMax`; null when there is none. */
  read(position: Offset, bytesMax: number): { chunk: Chunk; next: Offset } | null {
    if (position < this.start || position > this.end) this.outOfRange(position)
    const first = this.indexOf(position)
    let last = first
    let bytes = 0
    while (last < this.blocks.length && (last === first || bytes + this.blocks[last]!.length <= bytesMax))
      bytes += this.blocks[last++]!.length
    if (first === last) return null
    return { chunk: joinChunk(this.blocks.slice(first, last)), next: this.blocks[last - 1]!.endOffset }
  }

  /** @returns whether bounds changed. */
  trim(before: Offset): boolean {
    if (before > this.end) this.outOfRange(before)
    if (before <= this.start) return false
    assert(before <= this.lowestPin(), () => `trim of ${this.topic.name}/${this.number} to ${before}, above the pin at ${this.lowestPin()}`)
    this.blocks.splice(0, this.indexOf(before))
    this.start = before
    return true
  }

  pin(from: Offset): Pin {
    const pin = { from }
    this.pins.add(pin)
    return {
      move(to) {
        pin.from = to
      },
      release: () => void this.pins.delete(pin),
    }
  }

  releasePins(): void {
    this.pins.clear()
  }

  /** Removes the oldest blocks as the topic's retention says. @returns whether bounds changed. */
  retain(now: EpochMs): boolean {
    const { retentionMs = Number.POSITIVE_INFINITY, retentionBytes = Number.POSITIVE_INFINITY } = this.topic
    let bytes = this.blocks.reduce((sum, block) => sum + block.length, 0)
    let before = this.start
    for (const block of this.blocks) {
      if (block.endOffset > this.lowestPin() || (block.appendTime >= now - retentionMs && bytes <= retentionBytes)) break
      bytes -= block.length
      before = block.endOffset
    }
    return this.trim(before)
  }

  /** Removes records below every pin whose key has a later one. Records without a key stay, and so does a key's last tombstone. */
  compact(): void {
    const lastOffsets = new Map<string, Offset>()
    for (const block of this.blocks) {
      for (let i = 0; i < block.count; i++) {
        const key = block.key(i)
        if (key !== null) lastOffsets.set(key.toString('latin1'), block.baseOffset + i)
      }
    }
    const pinned = this.lowestPin()
    this.blocks = this.blocks.flatMap((block) =>
      filterBlock(block, (i) => {
        const offset = block.baseOffset + i
        const key = block.key(i)
        return key === null || offset >= pinned || lastOffsets.get(key.toString('latin1')) === offset
      }),
    )
  }

  /** Index of the first block that ends above `offset`. */
  private indexOf(offset: Offset): number {
    let low = 0
    let high = this.blocks.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.blocks[middle]!.endOffset > offset) high = middle
      else low = middle + 1
    }
    return low
  }

  private lowestPin(): Offset {
    let lowest = Number.POSITIVE_INFINITY
    for (const { from } of this.pins) lowest = Math.min(lowest, from)
    return lowest
  }

  private outOfRange(offset: Offset): never {
    throw new StreamError('OFFSET_OUT_OF_RANGE', {
      topic: this.topic.name,
      partition: this.number,
      offset,
      earliest: this.start,
      end: this.end,
    })
  }
}
