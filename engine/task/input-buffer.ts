import { assert } from '../assert.ts'
import { BlockView, type Chunk, type Original } from '../block/block-view.ts'
import type { Offset } from '../model/record.ts'
import type { DecodedRun, RunDecoder } from './decoded-run.ts'

/** Records decoded in one go, so few that what was decoded is still near when it is processed; a block may be far larger. */
const runRecordsMax = 1024

/** One stretch of an original block that a range covers: with its checksum it names the content exactly. */
export interface Coverage {
  readonly contentChecksum: number
  /** Offsets of the original block, and the part of it that was taken. */
  readonly originalFrom: Offset
  readonly from: Offset
  readonly to: Offset
}

/** A block of which records from `next` on are not decoded. */
interface Undecoded {
  readonly block: BlockView
  next: number
  originals: readonly Original[] | undefined
  /** The first original that is not wholly decoded, and where it begins in the block. */
  original: number
  originalFrom: number
}

/**
 * What was read ahead from one partition, in offset order: chunks not yet decoded, then decoded runs.
 * Invariants: I1 `takeable` records are decoded and not taken; I2 a chunk is released when its last record was taken and the slice that took it is over.
 */
export class InputBuffer {
  /** Decoded, not wholly taken. */
  readonly runs: DecodedRun[] = []
  takeable = 0
  /** Bytes of the chunks held. */
  bytes = 0
  /** Next offset to take. */
  position: Offset
  /** Next offset to read from the log: the end of what is buffered. */
  readPosition: Offset
  private readonly decode: RunDecoder
  private readonly blocks: Undecoded[] = []
  private readonly held: { chunk: Chunk; lastBlock: BlockView }[] = []
  private coverage: Coverage[] = []
  private lastAppended = 0

  constructor(position: Offset, decode: RunDecoder) {
    this.position = position
    this.readPosition = position
    this.decode = decode
  }

  /** Adds what a reader gave. Records below `readPosition` are passed over. */
  push(chunk: Chunk): void {
    let last: BlockView | undefined
    for (const at of chunk.blocks) {
      const block = new BlockView(chunk, at)
      if (block.endOffset <= this.readPosition) continue
      this.blocks.push({
        block,
        next: Math.max(0, this.readPosition - block.baseOffset),
        originals: undefined,
        original: 0,
        originalFrom: 0,
      })
      this.readPosition = block.endOffset
      last = block
      this.lastAppended = block.appendTimeOf(block.count - 1)
    }
    if (last === undefined) {
      chunk.release()
      return
    }
    this.held.push({ chunk, lastBlock: last })
    this.bytes += chunk.bytes.length
  }

  /** Decodes until `records` can be taken, or all there is. */
  decodeUpTo(records: number): void {
    while (this.takeable < records && this.blocks.length > 0) this.decodeRun()
  }

  get empty(): boolean {
    return this.takeable === 0 && this.blocks.length === 0
  }

  /** How many of the takeable records lie below `to`. Decodes as needed. */
  countBelow(to: Offset): number {
    while (this.blocks.length > 0 && this.blocks[0]!.block.baseOffset + this.blocks[0]!.next < to) this.decodeRun()
    let count = 0
    for (const run of this.runs) {
      const left = run.count - run.taken
      const below = Math.min(left, Math.max(0, to - (run.firstOffset + run.taken)))
      count += below
      if (below < left) break
    }
    return count
  }

  /** One past the offset of the `count`-th takeable record. */
  offsetAfter(count: number): Offset {
    let left = count
    for (const run of this.runs) {
      const inRun = run.count - run.taken
      if (left <= inRun) return run.firstOffset + run.taken + left
      left -= inRun
    }
    throw new RangeError('fewer records are takeable')
  }

  /** What the log needs for the records [from, to), about: their share of their blocks. They are decoded and not taken. */
  bytesBetween(from: Offset, to: Offset): number {
    let bytes = 0
    for (const { block, firstOffset, count } of this.runs) {
      const records = Math.min(to, firstOffset + count) - Math.max(from, firstOffset)
      if (records > 0) bytes += records * (block.length / block.count)
    }
    return bytes
  }

  /** Append time of the first buffered record from `offset` on; undefined when there is none. */
  appendTimeAt(offset: Offset): number | undefined {
    const holding =
      this.runs.find(({ firstOffset, count }) => firstOffset + count > offset) ?? this.blocks.find(({ block }) => block.endOffset > offset)
    return holding?.block.appendTimeOf(Math.max(0, offset - holding.block.baseOffset))
  }

  /** Append time of the last record that was read; 0 before the first. */
  get lastAppendTime(): number {
    return this.lastAppended
  }

  /** The run that holds the next record to take. */
  head(): DecodedRun | undefined {
    return this.runs[0]
  }

  /** Takes `count` records of the first run. */
  take(count: number): void {
    const run = this.runs[0]!
    assert(run.taken + count <= run.count, 'took more than the run holds')
    run.taken += count
    this.takeable -= count
    this.position = run.firstOffset + run.taken
    if (run.taken === run.count) this.runs.shift()
  }

  /** Which stretches of original blocks the records [from, to) are; called before they are taken. */
  cover(from: Offset, to: Offset): readonly Coverage[] {
    const found: Coverage[] = []
    for (const coverage of this.coverage) {
      const start = Math.max(from, coverage.from)
      const end = Math.min(to, coverage.to)
      if (start < end) found.push({ ...coverage, from: start, to: end })
    }
    return found
  }

  /** Nothing below `position` is needed any more. Call at the end of a slice. */
  releaseTaken(): void {
    while (this.held.length > 0 && this.held[0]!.lastBlock.endOffset <= this.position) {
      const { chunk } = this.held.shift()!
      this.bytes -= chunk.bytes.length
      chunk.release()
    }
    let keep = 0
    while (keep < this.coverage.length && this.coverage[keep]!.to <= this.position) keep++
    if (keep > 0) this.coverage = this.coverage.slice(keep)
  }

  releaseAll(): void {
    for (const { chunk } of this.held) chunk.release()
    this.held.length = 0
    this.blocks.length = 0
    this.runs.length = 0
    this.takeable = 0
    this.bytes = 0
  }

  private decodeRun(): void {
    const pending = this.blocks[0]!
    const { block, next } = pending
    const count = Math.min(runRecordsMax, block.count - next)
    this.runs.push(this.decode(block, next, count))
    pending.next += count
    this.takeable += count
    this.coverBlock(pending, next, pending.next)
    if (pending.next === block.count) this.blocks.shift()
  }

  /** Notes which originals the block's records [from, to) are of. */
  private coverBlock(pending: Undecoded, from: number, to: number): void {
    const { baseOffset } = pending.block
    const originals = (pending.originals ??= pending.block.originals())
    while (pending.originalFrom < to) {
      const { count, contentChecksum } = originals[pending.original]!
      const end = pending.originalFrom + count
      if (end > from) {
        this.coverage.push({
          contentChecksum,
          originalFrom: baseOffset + pending.originalFrom,
          from: baseOffset + Math.max(from, pending.originalFrom),
          to: baseOffset + Math.min(to, end),
        })
      }
      if (end > to) break
      pending.originalFrom = end
      pending.original++
    }
  }
}
