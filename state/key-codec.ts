import { assert } from '../engine/assert.ts'
import type { ByteSink } from '../engine/block/byte-sink.ts'
import type { Key } from '../engine/model/record.ts'

/**
 * Keys as bytes whose order is the canonical order of the keys, also for keys written one after the other:
 *
 *     number   0x10, then 8 bytes: the double's bits, flipped so that they rise with the value
 *     string   0x20, then each UTF-16 code unit in 1 to 3 bytes as UTF-8 would write it (halves of surrogate pairs too); 0 is 0x00 0xff; then 0x00 0x01
 */
const numberTag = 0x10
const textTag = 0x20
const endOfText = 1
const zero = 255

export function writeKeyBytes(key: Key, out: ByteSink): void {
  if (typeof key === 'number') writeNumber(key, out)
  else writeText(key, out)
}

function writeNumber(key: number, out: ByteSink): void {
  out.need(9)
  const { view, at } = out
  out.buf[at] = numberTag
  view.setFloat64(at + 1, key)
  const high = view.getUint32(at + 1)
  if (high >= 0x80000000) {
    view.setUint32(at + 1, ~high >>> 0)
    view.setUint32(at + 5, ~view.getUint32(at + 5) >>> 0)
  } else {
    view.setUint32(at + 1, (high | 0x80000000) >>> 0)
  }
  out.at = at + 9
}

function writeText(key: string, out: ByteSink): void {
  out.need(key.length * 3 + 3)
  const { buf } = out
  let { at } = out
  buf[at++] = textTag
  for (let i = 0; i < key.length; i++) {
    const unit = key.charCodeAt(i)
    if (unit < 0x80) {
      buf[at++] = unit
      if (unit === 0) buf[at++] = zero
    } else if (unit < 0x800) {
      buf[at++] = 0xc0 | (unit >> 6)
      buf[at++] = 0x80 | (unit & 63)
    } else {
      buf[at++] = 0xe0 | (unit >> 12)
      buf[at++] = 0x80 | ((unit >> 6) & 63)
      buf[at++] = 0x80 | (unit & 63)
    }
  }
  buf[at++] = 0
  buf[at++] = endOfText
  out.at = at
}

/** Reads keys one after the other from bytes that writeKeyBytes wrote. */
export class KeyReader {
  bytes: Buffer = Buffer.alloc(0)
  at = 0
  private readonly scratch = new DataView(new ArrayBuffer(8))

  key(): Key {
    const head = this.bytes[this.at++]
    if (head === numberTag) return this.number()
    assert(head === textTag, () => `no key begins with byte ${head}`)
    return this.text()
  }

  private number(): number {
    const { bytes, at, scratch } = this
    const high = bytes.readUInt32BE(at)
    const low = bytes.readUInt32BE(at + 4)
    const negative = high < 0x80000000
    scratch.setUint32(0, negative ? ~high >>> 0 : (high & 0x7fffffff) >>> 0)
    scratch.setUint32(4, negative ? ~low >>> 0 : low)
    this.at = at + 8
    return scratch.getFloat64(0)
  }

  private text(): string {
    const { bytes, at } = this
    let end = at
    while (bytes[end]! > 0 && bytes[end]! < 0x80) end++
    if (bytes[end] === 0 && bytes[end + 1] === endOfText) {
      this.at = end + 2
      return bytes.latin1Slice(at, end)
    }
    return this.wideText()
  }

  private wideText(): string {
    const { bytes } = this
    const units: number[] = []
    for (;;) {
      const byte = bytes[this.at++]
      assert(byte !== undefined, 'a key ends too early')
      if (byte === 0) {
        if (bytes[this.at++] === endOfText) return textOf(units)
        units.push(0)
      } else if (byte < 0x80) {
        units.push(byte)
      } else if (byte < 0xe0) {
        units.push(((byte & 31) << 6) | (bytes[this.at++]! & 63))
      } else {
        units.push(((byte & 15) << 12) | ((bytes[this.at]! & 63) << 6) | (bytes[this.at + 1]! & 63))
        this.at += 2
      }
    }
  }
}

function textOf(units: readonly number[]): string {
  let text = ''
  for (let i = 0; i < units.length; i += 4096) text += String.fromCharCode(...units.slice(i, i + 4096))
  return text
}
