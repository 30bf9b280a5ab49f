import { assert } from '../assert.ts'
import type { ByteSink } from '../block/byte-sink.ts'
import { type ErrorDetails, StreamError } from '../errors.ts'
import { type MakeDate, ValueReader } from './value/decode.ts'
import { Unsupported, writeValue } from './value/encode.ts'
import { hasEncoding } from './value/has-encoding.ts'
import { findUnsupported } from './value/unsupported.ts'

export type { MakeDate } from './value/decode.ts'

/** First byte of every encoded value. A change of the format that old bytes do not fit takes the next number. */
const version = 1

/**
 * Appends a structured value: what a Store may hold. One value has one encoding (properties, map entries and set members keep their order,
 * as programs can see it); what is decoded equals what was encoded, -0, NaN, undefined and holes included. References to one object become copies.
 * Errors: STATE_VALUE_UNSUPPORTED with the path from `name` to a function, symbol, class instance or circle; nothing is appended then.
 */
export function encodeValue(value: unknown, out: ByteSink, name = 'value'): void {
  const from = out.at
  out.need(1)
  out.buf[out.at++] = version
  try {
    writeValue(value, out, 0)
  } catch (error) {
    out.at = from
    if (!(error instanceof Unsupported)) throw error
    throw new StreamError('STATE_VALUE_UNSUPPORTED', { ...findUnsupported(value, name) }, { cause: error, fix })
  }
}

const fix = 'keep plain data: numbers, strings, arrays, plain objects, Map, Set, Date, Uint8Array'

/** Levels that are left for what operators put around a value they keep: a row, a list, a checkpoint's cursor. */
const levelsAround = 16

/** Whether a store can keep a value whatever is put around it. Costs little where it is plain data. */
export function storable(value: unknown): boolean {
  return hasEncoding(value, levelsAround)
}

/**
 * Refuses what a store can't keep, where it comes in and its record can still be passed over: found by the checkpoint, it would stop the job for good.
 * Errors: STATE_VALUE_UNSUPPORTED with `details` and the path from `value`.
 */
export function checkStorable(value: unknown, details: ErrorDetails = {}): void {
  if (storable(value)) return
  throw new StreamError('STATE_VALUE_UNSUPPORTED', { ...details, ...findUnsupported(value, 'value', levelsAround) }, { fix })
}

const plainReader = new ValueReader((ms) => new Date(ms))

/** The value at bytes[from, to), all of them. Nothing in it refers to `bytes`. @param makeDate makes its dates; the host's kind if absent. */
export function decodeValue(bytes: Buffer, from: number, to: number, makeDate?: MakeDate): unknown {
  const reader = makeDate === undefined ? plainReader : new ValueReader(makeDate)
  assert(bytes[from] === version, () => `a value of format ${bytes[from]}, known is ${version}`)
  reader.reset(bytes, from + 1, to)
  const value = reader.value()
  assert(reader.at === to, 'a value ends before its bytes do')
  return value
}
