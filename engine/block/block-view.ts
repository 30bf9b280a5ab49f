import type { EpochMs, Header, LogRecord, Offset } from '../model/record.ts'
import { checksum } from './checksum.ts'
import { flagHeaders, flagNulls, headBytes, magic, nullKey, nullValue, originalBytes } from './layout.ts'

/** Bytes that hold whole blocks, and the views onto them. `bytes` begins at a multiple of 8 of its buffer and has 16 bytes of slack behind. */
export interface Chunk {
  readonly bytes: Buffer
  readonly view: DataView
  readonly u32: Uint32Array
  readonly f64: Float64Array
  /** Where each block begins in `bytes`, in offset order, all verified. */
  readonly blocks: readonly number[]
  /** Gives the bytes back for reuse. Nothing of the chunk may be read afterwards. */
  release(): void
}

/** A stretch of a block that was appended in one commit. */
export interface Original {
  readonly count: number
  readonly contentChecksum: number
  readonly appendTime: EpochMs
}

/** Positions of one block's columns inside its chunk. Reads nothing but the head; does not verify (see `blockFault`). */
export class BlockView {
  readonly chunk: Chunk
  readonly at: number
  readonly length: number
  readonly count: number
  readonly baseOffset: Offset
  readonly appendTime: EpochMs
  readonly contentChecksum: number
  readonly flags: number
  /** Commits it was joined from; 0 for a block that was never joined. */
  readonly originalCount: number
  /** Index into chunk.f64 of the first event time. */
  readonly timesAt: number
  /** Indexes into chunk.u32 of the first end. */
  readonly keyEndsAt: number
  readonly valueEndsAt: number
  /** Byte positions in chunk.bytes. */
  readonly keysAt: number
  readonly valuesAt: number
  private readonly headerEndsAt: number
  private readonly headersAt: number
  private readonly nullsAt: number
  private appendTimes: Float64Array | undefined

  constructor(chunk: Chunk, at: number) {
    this.chunk = chunk
    this.at = at
    const { u32, f64 } = chunk
    const w = at >> 2
    this.length = u32[w]! | 0
    const n = (this.count = u32[w + 3]! | 0)
    this.baseOffset = f64[(at >> 3) + 2]!
    this.appendTime = f64[(at >> 3) + 3]!
    this.contentChecksum = u32[w + 8]!
    const flags = (this.flags = u32[w + 9]!)
    this.originalCount = u32[w + 13]!
    this.appendTimes = undefined
    let p = at + headBytes + this.originalCount * originalBytes
    this.timesAt = p >> 3
    p += n * 8
    this.keyEndsAt = p >> 2
    p += n * 4
    this.valueEndsAt = p >> 2
    p += n * 4
    this.headerEndsAt = p >> 2
    if (flags & flagHeaders) p += n * 4
    this.nullsAt = p
    if (flags & flagNulls) p += n
    this.keysAt = p
    // As integers: kept as doubles, they would make every loop over the bytes count in doubles.
    this.valuesAt = (p + u32[w + 10]!) | 0
    this.headersAt = (this.valuesAt + u32[w + 11]!) | 0
  }

  get endOffset(): Offset {
    return this.baseOffset + this.count
  }

  /** The commits this block's records came in, in order; one for a block that was never joined. */
  originals(): readonly Original[] {
    if (this.originalCount === 0) {
      return [{ count: this.count, contentChecksum: this.contentChecksum, appendTime: this.appendTime }]
    }
    const { u32, f64 } = this.chunk
    return Array.from({ length: this.originalCount }, (_, i) => {
      const p = this.at + headBytes + i * originalBytes
      return { count: u32[p >> 2]!, contentChecksum: u32[(p >> 2) + 1]!, appendTime: f64[(p >> 3) + 1]! }
    })
  }

  get hasNulls(): boolean {
    return (this.flags & flagNulls) !== 0
  }

  eventTime(i: number): EpochMs {
    return this.chunk.f64[this.timesAt + i]!
  }

  keyIsNull(i: number): boolean {
    return this.hasNulls && (this.chunk.bytes[this.nullsAt + i]! & nullKey) !== 0
  }

  valueIsNull(i: number): boolean {
    return this.hasNulls && (this.chunk.bytes[this.nullsAt + i]! & nullValue) !== 0
  }

  /** Key bytes of record i, a view into the chunk; null for no key. */
  key(i: number): Buffer | null {
    return this.keyIsNull(i) ? null : this.part(this.keysAt, this.keyEndsAt, i)
  }

  /** Where record i's key begins and ends in `chunk.bytes`; the same place twice for an empty key and for none. */
  keyStart(i: number): number {
    return this.keysAt + (i === 0 ? 0 : this.chunk.u32[this.keyEndsAt + i - 1]!)
  }

  keyEnd(i: number): number {
    return this.keysAt + this.chunk.u32[this.keyEndsAt + i]!
  }

  /** Value bytes of record i, a view into the chunk; null for a tombstone. */
  value(i: number): Buffer | null {
    return this.valueIsNull(i) ? null : this.part(this.valuesAt, this.valueEndsAt, i)
  }

  /** Headers of record i, copied. */
  headers(i: number): readonly Header[] {
    if (!(this.flags & flagHeaders)) return []
    const bytes = this.part(this.headersAt, this.headerEndsAt, i)
    if (bytes.length === 0) return []
    const headers: Header[] = []
    let p = 2
    for (let left = bytes.readUInt16LE(0); left > 0; left--) {
      const nameEnd = p + 6 + bytes.readUInt16LE(p)
      const valueEnd = nameEnd + bytes.readUInt32LE(p + 2)
      headers.push({ name: bytes.toString('utf8', p + 6, nameEnd), value: Uint8Array.prototype.slice.call(bytes, nameEnd, valueEnd) })
      p = valueEnd
    }
    return headers
  }

  /** Record i whole, copied out of the chunk. */
  record(i: number): LogRecord {
    const copy = (bytes: Buffer | null) => (bytes === null ? null : Buffer.from(bytes))
    return {
      offset: this.baseOffset + i,
      appendTime: this.appendTimeOf(i),
      eventTime: this.eventTime(i),
      key: copy(this.key(i)),
      value: copy(this.value(i)),
      headers: this.headers(i),
    }
  }

  appendTimeOf(i: number): EpochMs {
    if (this.originalCount === 0) return this.appendTime
    return (this.appendTimes ??= this.appendTimeOfEach())[i]!
  }

  private appendTimeOfEach(): Float64Array {
    const times = new Float64Array(this.count)
    let from = 0
    for (const { count, appendTime } of this.originals()) times.fill(appendTime, from, (from += count))
    return times
  }

  private part(start: number, endsAt: number, i: number): Buffer {
    const { bytes, u32 } = this.chunk
    return bytes.subarray(start + (i === 0 ? 0 : u32[endsAt + i - 1]!), start + u32[endsAt + i]!)
  }
}

/** Stamps a finished block with its place and time, under the header checksum. In place; `at` is where the block begins. */
export function stampBlock(bytes: Buffer, at: number, baseOffset: Offset, appendTime: EpochMs): void {
  bytes.writeDoubleLE(baseOffset, at + 16)
  bytes.writeDoubleLE(appendTime, at + 24)
  bytes.writeUInt32LE(checksum(bytes, at + 8, at + headBytes), at + 4)
}

/** @returns what is wrong with the block at `at` of bytes[.., end), or undefined. Checks both checksums. */
export function blockFault(bytes: Buffer, at: number, end: number): string | undefined {
  if (at + headBytes > end) return 'block head cut off'
  if (bytes.readUInt32LE(at + 8) !== magic) return 'no block here'
  const length = bytes.readUInt32LE(at)
  if (length < headBytes || length % 8 !== 0 || at + length > end) return 'block length out of bounds'
  if (checksum(bytes, at + 8, at + headBytes) !== bytes.readUInt32LE(at + 4)) return 'block head checksum differs'
  if (checksum(bytes, at + headBytes, at + length) !== bytes.readUInt32LE(at + 32)) return 'block content checksum differs'
  return undefined
}

/** Views onto bytes that begin at a multiple of 8 of their buffer. */
export function viewsOf(bytes: Buffer): Pick<Chunk, 'bytes' | 'view' | 'u32' | 'f64'> {
  const { buffer, byteOffset, length } = bytes
  return {
    bytes,
    view: new DataView(buffer, byteOffset, length),
    u32: new Uint32Array(buffer, byteOffset, length >> 2),
    f64: new Float64Array(buffer, byteOffset, length >> 3),
  }
}
