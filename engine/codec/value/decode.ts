import { AssertionError, assert } from '../../assert.ts'
import { nameAt } from './name-cache.ts'
import { shortText, smallInt, tag } from './tags.ts'

/** Makes the dates of decoded values: the job's own kind where there is one. */
export type MakeDate = (ms: number) => Date

/** Reads values one after the other. Bytes that the encoder did not write fail an assertion: who reads them has checked their checksum. */
export class ValueReader {
  private bytes: Buffer = Buffer.alloc(0)
  private end = 0
  private readonly makeDate: MakeDate
  at = 0

  constructor(makeDate: MakeDate) {
    this.makeDate = makeDate
  }

  reset(bytes: Buffer, from: number, to: number): void {
    this.bytes = bytes
    this.at = from
    this.end = to
  }

  value(): unknown {
    const head = this.byte()
    if (head >= smallInt) return head - smallInt
    if (head >= shortText) return this.narrow(head - shortText)
    switch (head) {
      case tag.null:
        return null
      case tag.undefined:
        return undefined
      case tag.false:
        return false
      case tag.true:
        return true
      case tag.int:
        return this.int()
      case tag.double:
        return this.double()
      case tag.narrowText:
        return this.narrow(this.varint())
      case tag.wideText:
        return this.wide(this.varint())
      case tag.bigint:
        return this.bigint()
      case tag.date:
        return this.makeDate(this.double())
      case tag.bytes:
        return new Uint8Array(this.take(this.varint()))
      case tag.buffer:
        return Buffer.from(this.take(this.varint()))
      case tag.array:
        return this.array(this.varint())
      case tag.object:
        return this.properties({})
      case tag.bareObject:
        return this.properties(Object.create(null) as Record<string, unknown>)
      case tag.map:
        return this.map(this.varint())
      case tag.set:
        return this.set(this.varint())
      default:
        throw new AssertionError(`no value begins with byte ${head}`)
    }
  }

  private byte(): number {
    assert(this.at < this.end, 'a value ends too early')
    return this.bytes[this.at++]!
  }

  private varint(): number {
    let byte = this.byte()
    if (byte < 128) return byte
    let value = byte & 127
    for (let scale = 128; ; scale *= 128) {
      byte = this.byte()
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
  }

  private int(): number {
    const zigzag = this.varint()
    return (zigzag >>> 1) ^ -(zigzag & 1)
  }

  private double(): number {
    const { at } = this
    this.skip(8)
    return this.bytes.readDoubleBE(at)
  }

  private skip(length: number): void {
    this.at += length
    assert(this.at <= this.end, 'a value ends too early')
  }

  private narrow(length: number): string {
    const { at } = this
    this.skip(length)
    return this.bytes.latin1Slice(at, at + length)
  }

  private wide(length: number): string {
    const { at } = this
    this.skip(length * 2)
    return this.bytes.ucs2Slice(at, at + length * 2)
  }

  /** A view: to be copied. */
  private take(length: number): Uint8Array {
    const { at } = this
    this.skip(length)
    return this.bytes.subarray(at, at + length)
  }

  private bigint(): bigint {
    const negative = this.byte() === 1
    const magnitude = BigInt(`0x${Buffer.from(this.take(this.varint())).toString('hex')}`)
    return negative ? -magnitude : magnitude
  }

  private name(): string {
    const head = this.byte()
    if (head < shortText) {
      this.at--
      return this.value() as string
    }
    const { at } = this
    this.skip(head - shortText)
    return nameAt(this.bytes, at, this.at)
  }

  private properties(into: Record<string, unknown>): Record<string, unknown> {
    while (this.bytes[this.at] !== tag.end) {
      const name = this.name()
      const value = this.value()
      // Assigning would set the prototype instead.
      if (name === '__proto__') Object.defineProperty(into, name, { value, writable: true, enumerable: true, configurable: true })
      else into[name] = value
    }
    this.byte()
    return into
  }

  private array(length: number): unknown[] {
    const items: unknown[] = []
    for (let i = 0; i < length; ) {
      if (this.bytes[this.at] === tag.holes) {
        this.at++
        i += this.varint()
        items.length = i
      } else {
        items[i++] = this.value()
      }
    }
    return items
  }

  private map(size: number): Map<unknown, unknown> {
    const map = new Map<unknown, unknown>()
    for (let i = 0; i < size; i++) {
      const key = this.value()
      map.set(key, this.value())
    }
    return map
  }

  private set(size: number): Set<unknown> {
    const set = new Set<unknown>()
    for (let i = 0; i < size; i++) set.add(this.value())
    return set
  }
}
