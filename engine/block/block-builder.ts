import type { EpochMs, Header, NewRecord } from '../model/record.ts'
import type { BlockPool } from './block-pool.ts'
import { ByteSink } from './byte-sink.ts'
import { checksum } from './checksum.ts'
import { flagHeaders, flagNulls, headBytes, magic, nullKey, nullValue, pad8 } from './layout.ts'

/**
 * Gathers records into one block. Encoders write key bytes into `keys` and value bytes into `values`, then `end` closes the record.
 * Reusable: `finish` gives a block of its own, `reset` starts the next one.
 */
export class BlockBuilder {
  readonly keys = new ByteSink()
  readonly values = new ByteSink(1 << 14)
  count = 0
  private headers: ByteSink | undefined
  private capacity = 256
  private times = new Float64Array(256)
  private keyEnds = new Uint32Array(256)
  private valueEnds = new Uint32Array(256)
  private headerEnds = new Uint32Array(256)
  private nulls = new Uint8Array(256)
  private anyNull = false

  /** Closes the record whose key and value bytes were just written. */
  end(eventTime: EpochMs): void {
    const i = this.count
    if (i === this.capacity) this.grow()
    this.times[i] = eventTime
    this.keyEnds[i] = this.keys.at
    this.valueEnds[i] = this.values.at
    if (this.headers !== undefined) this.headerEnds[i] = this.headers.at
    this.count = i + 1
  }

  /** The same for a record with headers or with a null key or value (then no bytes were written for it). */
  endWith(eventTime: EpochMs, headers: readonly Header[], keyIsNull: boolean, valueIsNull: boolean): void {
    if (headers.length > 0) this.putHeaders(headers)
    this.end(eventTime)
    if (keyIsNull || valueIsNull) {
      this.anyNull = true
      this.nulls[this.count - 1] = (keyIsNull ? nullKey : 0) | (valueIsNull ? nullValue : 0)
    }
  }

  /** Bytes of key and value of the record closed last. */
  get lastBytes(): number {
    const i = this.count - 1
    const before = i === 0 ? 0 : this.keyEnds[i - 1]! + this.valueEnds[i - 1]!
    return this.keyEnds[i]! + this.valueEnds[i]! - before
  }

  /** Forgets the key and value bytes written since the last `end`. */
  dropOpen(): void {
    this.keys.at = this.count === 0 ? 0 : this.keyEnds[this.count - 1]!
    this.values.at = this.count === 0 ? 0 : this.valueEnds[this.count - 1]!
  }

  add(record: NewRecord): void {
    if (record.key !== null) this.keys.bytes(record.key)
    if (record.value !== null) this.values.bytes(record.value)
    this.endWith(record.eventTime, record.headers ?? [], record.key === null, record.value === null)
  }

  /** Bytes of the block `finish` would give. */
  get size(): number {
    return pad8(headBytes + this.columnBytes() + this.keys.at + this.values.at + (this.headers?.at ?? 0))
  }

  /** The block, with base offset and append time still 0 and no header checksum: the log stamps them (see `stampBlock`). */
  finish(pool?: BlockPool): Uint8Array {
    const length = this.size
    const out = pool?.acquire(length) ?? Buffer.allocUnsafeSlow(length)
    this.writeTo(out, 0, length)
    return out
  }

  /** Writes the block at out[at]; `at` is a multiple of 8 and `size` bytes are free. */
  writeTo(out: Buffer, at: number, length = this.size): void {
    const n = this.count
    const view = new DataView(out.buffer, out.byteOffset + at, length)
    out.fill(0, at, at + headBytes)
    view.setUint32(0, length, true)
    view.setUint32(8, magic, true)
    view.setUint32(12, n, true)
    view.setUint32(36, (this.headers ? flagHeaders : 0) | (this.anyNull ? flagNulls : 0), true)
    view.setUint32(40, this.keys.at, true)
    view.setUint32(44, this.values.at, true)
    view.setUint32(48, this.headers?.at ?? 0, true)
    let p = at + headBytes
    const column = (array: Float64Array | Uint32Array | Uint8Array) => {
      out.set(new Uint8Array(array.buffer, 0, n * array.BYTES_PER_ELEMENT), p)
      p += n * array.BYTES_PER_ELEMENT
    }
    column(this.times)
    column(this.keyEnds)
    column(this.valueEnds)
    if (this.headers) column(this.headerEnds)
    if (this.anyNull) column(this.nulls)
    for (const sink of [this.keys, this.values, this.headers]) {
      if (sink === undefined) continue
      sink.buf.copy(out, p, 0, sink.at)
      p += sink.at
    }
    out.fill(0, p, at + length)
    view.setUint32(32, checksum(out, at + headBytes, at + length), true)
  }

  reset(): void {
    this.keys.reset()
    this.values.reset()
    this.headers = undefined
    this.count = 0
    if (this.anyNull) this.nulls.fill(0)
    this.anyNull = false
  }

  private columnBytes(): number {
    return this.count * (16 + (this.headers ? 4 : 0) + (this.anyNull ? 1 : 0))
  }

  private putHeaders(headers: readonly Header[]): void {
    if (this.headers === undefined) {
      this.headers = new ByteSink()
      this.headerEnds.fill(0, 0, this.count)
    }
    const out = this.headers
    out.need(2)
    out.view.setUint16(out.at, headers.length, true)
    out.at += 2
    for (const { name, value } of headers) {
      const nameBytes = Buffer.from(name, 'utf8')
      out.need(6)
      out.view.setUint16(out.at, nameBytes.length, true)
      out.view.setUint32(out.at + 2, value.length, true)
      out.at += 6
      out.bytes(nameBytes)
      out.bytes(value)
    }
  }

  private grow(): void {
    this.capacity *= 2
    const wider = <A extends Float64Array | Uint32Array | Uint8Array>(array: A, made: A): A => {
      made.set(array)
      return made
    }
    this.times = wider(this.times, new Float64Array(this.capacity))
    this.keyEnds = wider(this.keyEnds, new Uint32Array(this.capacity))
    this.valueEnds = wider(this.valueEnds, new Uint32Array(this.capacity))
    this.headerEnds = wider(this.headerEnds, new Uint32Array(this.capacity))
    this.nulls = wider(this.nulls, new Uint8Array(this.capacity))
  }
}
