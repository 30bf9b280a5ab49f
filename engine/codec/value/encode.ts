import type { ByteSink } from '../../block/byte-sink.ts'
import { depthMax, shortMax, shortText, smallInt, tag } from './tags.ts'
import { writeVarint } from './varint.ts'

/** Thrown for a value that has no encoding; the public function finds out where it stands. */
export class Unsupported extends Error {}

/** Appends one value, nested `depth` levels deep. */
export function writeValue(value: unknown, out: ByteSink, depth: number): void {
  switch (typeof value) {
    case 'number':
      return writeNumber(value, out)
    case 'string':
      return writeText(value, out)
    case 'boolean':
      return writeTag(value ? tag.true : tag.false, out)
    case 'undefined':
      return writeTag(tag.undefined, out)
    case 'object':
      return value === null ? writeTag(tag.null, out) : writeObject(value, out, depth)
    case 'bigint':
      return writeBigInt(value, out)
    default:
      throw new Unsupported()
  }
}

function writeTag(byte: number, out: ByteSink): void {
  out.need(1)
  out.buf[out.at++] = byte
}

function writeNumber(value: number, out: ByteSink): void {
  out.need(9)
  if (value === (value | 0) && (value !== 0 || 1 / value > 0)) {
    if (value >= 0 && value <= shortMax) {
      out.buf[out.at++] = smallInt + value
      return
    }
    out.buf[out.at++] = tag.int
    writeVarint(((value << 1) ^ (value >> 31)) >>> 0, out)
    return
  }
  out.buf[out.at++] = tag.double
  writeDouble(value, out)
}

function writeDouble(value: number, out: ByteSink): void {
  // NaN has many bit patterns, and which one a machine makes is not ours to say.
  if (Number.isNaN(value)) {
    out.view.setUint32(out.at, 0x7ff80000)
    out.view.setUint32(out.at + 4, 0)
  } else {
    out.view.setFloat64(out.at, value)
  }
  out.at += 8
}

function writeText(text: string, out: ByteSink): void {
  const { length } = text
  if (length > shortMax) return writeLongText(text, out)
  out.need(length + 1)
  const { buf, at } = out
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i)
    if (unit > 255) return writeWideText(text, out)
    buf[at + 1 + i] = unit
  }
  buf[at] = shortText + length
  out.at = at + 1 + length
}

const beyondLatin1 = /[^\0-\xff]/

function writeLongText(text: string, out: ByteSink): void {
  if (beyondLatin1.test(text)) return writeWideText(text, out)
  out.need(text.length + 6)
  out.buf[out.at++] = tag.narrowText
  writeVarint(text.length, out)
  out.at += out.buf.latin1Write(text, out.at)
}

function writeWideText(text: string, out: ByteSink): void {
  out.need(text.length * 2 + 6)
  out.buf[out.at++] = tag.wideText
  writeVarint(text.length, out)
  out.at += out.buf.ucs2Write(text, out.at)
}

function writeBigInt(value: bigint, out: ByteSink): void {
  const digits = (value < 0n ? -value : value).toString(16)
  const bytes = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex')
  out.need(bytes.length + 7)
  out.buf[out.at++] = tag.bigint
  out.buf[out.at++] = value < 0n ? 1 : 0
  writeVarint(bytes.length, out)
  out.bytes(bytes)
}

const plain = Object.prototype

function writeObject(value: object, out: ByteSink, depth: number): void {
  if (depth >= depthMax) throw new Unsupported()
  // biome-ignore lint/suspicious/noProto: six times as fast; what lies about it is looked at again below
  if ((value as { __proto__?: unknown }).__proto__ === plain)
    return writeProperties(tag.object, value as Record<string, unknown>, out, depth)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === plain) return writeProperties(tag.object, value as Record<string, unknown>, out, depth)
  if (Array.isArray(value)) return writeArray(value, prototype, out, depth)
  if (prototype === Map.prototype) return writeMap(value as Map<unknown, unknown>, out, depth)
  if (prototype === Set.prototype) return writeSet(value as Set<unknown>, out, depth)
  if (prototype === Uint8Array.prototype) return writeBytes(tag.bytes, value as Uint8Array, out)
  if (prototype === Buffer.prototype) return writeBytes(tag.buffer, value as Uint8Array, out)
  if (prototype === null) return writeProperties(tag.bareObject, value as Record<string, unknown>, out, depth)
  // A job's Date has a prototype of its own (local time is UTC there), so the prototype is not compared.
  if (value instanceof Date) return writeDate(value, out)
  throw new Unsupported()
}

function writeProperties(head: number, value: Record<string, unknown>, out: ByteSink, depth: number): void {
  writeTag(head, out)
  for (const name in value) {
    writeText(name, out)
    writeValue(value[name], out, depth + 1)
  }
  writeTag(tag.end, out)
  if (symbolsOf(value).length > 0) throw new Unsupported()
}

const symbolsOf = Object.getOwnPropertySymbols

function writeArray(value: readonly unknown[], prototype: unknown, out: ByteSink, depth: number): void {
  if (prototype !== Array.prototype) throw new Unsupported()
  const { length } = value
  out.need(6)
  out.buf[out.at++] = tag.array
  writeVarint(length, out)
  for (let i = 0; i < length; i++) {
    const item = value[i]
    if (item !== undefined || i in value) {
      writeValue(item, out, depth + 1)
      continue
    }
    const from = i
    while (i + 1 < length && !(i + 1 in value)) i++
    out.need(6)
    out.buf[out.at++] = tag.holes
    writeVarint(i + 1 - from, out)
  }
}

function writeMap(value: ReadonlyMap<unknown, unknown>, out: ByteSink, depth: number): void {
  out.need(6)
  out.buf[out.at++] = tag.map
  writeVarint(value.size, out)
  for (const [key, item] of value) {
    writeValue(key, out, depth + 1)
    writeValue(item, out, depth + 1)
  }
}

function writeSet(value: ReadonlySet<unknown>, out: ByteSink, depth: number): void {
  out.need(6)
  out.buf[out.at++] = tag.set
  writeVarint(value.size, out)
  for (const item of value) writeValue(item, out, depth + 1)
}

function writeBytes(head: number, value: Uint8Array, out: ByteSink): void {
  out.need(value.length + 6)
  out.buf[out.at++] = head
  writeVarint(value.length, out)
  out.bytes(value)
}

function writeDate(value: Date, out: ByteSink): void {
  out.need(9)
  out.buf[out.at++] = tag.date
  writeDouble(value.getTime(), out)
}
