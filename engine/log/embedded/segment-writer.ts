import { assert } from '../../assert.ts'
import type { FileSystem, WriteFile } from '../../ports/file-system.ts'
import { segmentFileName } from './file-names.ts'
import { type BlockEntry, bodyOffset, entryBytes, frameHeadBytes, frameKind, type LogId, writeEntry, writeFrameHead } from './frame.ts'
import type { SegmentInfo, SegmentRange } from './operation.ts'

/** Smaller blocks are gathered and written together; larger ones go straight to the file. */
const pieceBytes = 1 << 18

type Writable<T> = { -readonly [Name in keyof T]: T[Name] }

/**
 * Writes one segment: a frame whose directory lists its blocks, partition by partition. The blocks go first, the head last; until the
 * edit that lists it is committed the file does not exist for anyone. Blocks that stay in a log file are only listed.
 */
export class SegmentWriter {
  readonly number: number
  private readonly file: WriteFile
  private readonly logId: LogId
  private readonly directory: Buffer
  private readonly blocksMax: number
  private readonly ranges: SegmentRange[] = []
  private range: Writable<SegmentRange> | undefined
  private blocks = 0
  private end: number
  private readonly piece = Buffer.allocUnsafeSlow(pieceBytes)
  private pending = 0

  private constructor(file: WriteFile, logId: LogId, number: number, blocksMax: number) {
    this.file = file
    this.logId = logId
    this.number = number
    this.blocksMax = blocksMax
    this.end = bodyOffset({ blocks: blocksMax, endsBytes: 0, detailBytes: 0 })
    this.directory = Buffer.alloc(this.end)
  }

  /** @param blocks exactly how many will be added. */
  static async create(fs: FileSystem, logId: LogId, number: number, blocks: number): Promise<SegmentWriter> {
    return new SegmentWriter(await fs.create(segmentFileName(number)), logId, number, blocks)
  }

  /** The next blocks are a stretch of their own, even if the last one was of the same partition. */
  beginRange(): void {
    this.range = undefined
  }

  /** Blocks of a stretch follow one another in offset order. */
  async add(topic: number, partition: number, block: Buffer): Promise<void> {
    this.enter({
      topic,
      partition,
      baseOffset: block.readDoubleLE(16),
      appendTime: block.readDoubleLE(24),
      count: block.readUInt32LE(12),
      length: block.length,
      check: block.readUInt32LE(4),
    })
    if (this.pending + block.length > pieceBytes) await this.flush()
    if (block.length > pieceBytes) await this.write(block)
    else this.pending += block.copy(this.piece, this.pending)
  }

  /** The same for a block that stays in a log file. A segment has blocks of one kind only. */
  addStaying({ position, ...entry }: BlockEntry): void {
    this.enter(entry, position)
  }

  /** Writes the head. Nothing is durable yet. @param blocksIn where the blocks have stayed, if they have. */
  async finish(commitNumber: number, { mixed, blocksIn }: Pick<SegmentInfo, 'mixed' | 'blocksIn'>): Promise<SegmentInfo> {
    assert(this.blocks === this.blocksMax, () => `a segment got ${this.blocks} blocks of ${this.blocksMax}`)
    await this.flush()
    const { number, logId, end: length, ranges } = this
    const appendTime = Math.max(0, ...ranges.map((range) => range.appendTime))
    const sizes = { blocks: this.blocks, endsBytes: 0, detailBytes: 0 }
    writeFrameHead(this.directory, 0, {
      logId,
      file: number,
      position: 0,
      kind: blocksIn ? frameKind.index : frameKind.segment,
      length,
      commitNumber,
      appendTime,
      ...sizes,
    })
    await this.file.write(this.directory, 0)
    return { number, bytes: length, ...(blocksIn && { blocksIn }), mixed, ranges }
  }

  async sync(): Promise<void> {
    await this.file.sync()
  }

  close(): Promise<void> {
    return this.file.close()
  }

  private enter(entry: Omit<BlockEntry, 'position'>, place = 0): void {
    assert(this.blocks < this.blocksMax, 'a segment got more blocks than planned')
    writeEntry(this.directory, frameHeadBytes + this.blocks * entryBytes, entry, place)
    this.blocks++
    this.extendRange(entry)
  }

  private extendRange({ topic, partition, baseOffset, count, length, appendTime }: Omit<BlockEntry, 'position'>): void {
    const range = this.range ?? { topic, partition, from: baseOffset, to: baseOffset, bytes: 0, appendTime }
    if (this.range === undefined) this.ranges.push(range)
    range.to = baseOffset + count
    range.bytes += length
    range.appendTime = appendTime
    this.range = range
  }

  private async flush(): Promise<void> {
    const { pending } = this
    this.pending = 0
    if (pending > 0) await this.write(this.piece.subarray(0, pending))
  }

  private async write(bytes: Buffer): Promise<void> {
    await this.file.write(bytes, this.end)
    this.end += bytes.length
  }
}
