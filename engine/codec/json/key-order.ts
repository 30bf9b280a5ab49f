import type { Plan } from './plan.ts'
import { QUOTE, skipSpace, skipString, skipValue } from './scan.ts'

/** One member of an observed record: the bytes up to its value, what the value was, and which declared field it is (-1 for none). */
export interface Member {
  /** From the end of the value before (or the record's start) up to this value: `{"a":`, `, "b": `. */
  readonly lead: Uint8Array
  readonly field: number
  readonly firstByte: number
  readonly length: number
}

/** The order and spelling of a record's keys, whitespace included. */
export interface KeyOrder {
  readonly members: readonly Member[]
  /** From the last value's end to the record's end. */
  readonly tail: Uint8Array
  /** Equal for records that one compiled order can decode. */
  readonly signature: string
}

const MEMBERS_MAX = 64
const LEAD_BYTES_MAX = 256

/**
 * Reads the key order of a record that a later tier has accepted (so a strict schema's has no undeclared keys).
 * @returns undefined when it is no order to learn: too long, repeated keys, or a field missing that only zod can stand in for.
 */
export function keyOrderOf(plan: Plan, bytes: Buffer, start: number, end: number): KeyOrder | undefined {
  const members: Member[] = []
  const keys = new Set<string>()
  const number = new Map(plan.fields.map((field, i) => [field.name, i]))
  let lead = start
  let at = skipSpace(bytes, skipSpace(bytes, start, end) + 1, end)
  while (at < end && bytes[at] === QUOTE) {
    const keyEnd = skipString(bytes, at + 1, end)
    if (keyEnd < 0) return undefined
    const key = JSON.parse(bytes.utf8Slice(at, keyEnd)) as string
    const valueAt = skipSpace(bytes, skipSpace(bytes, keyEnd, end) + 1, end)
    const valueEnd = skipValue(bytes, valueAt, end, 0)
    if (valueEnd < 0 || keys.has(key) || members.length === MEMBERS_MAX || valueAt - lead > LEAD_BYTES_MAX) return undefined
    const field = number.get(key) ?? -1
    keys.add(key)
    members.push({
      lead: Uint8Array.prototype.slice.call(bytes, lead, valueAt),
      field,
      firstByte: bytes[valueAt] as number,
      length: valueEnd - valueAt,
    })
    lead = valueEnd
    at = skipSpace(bytes, skipSpace(bytes, valueEnd, end) + 1, end)
  }
  if (end - lead > LEAD_BYTES_MAX || !plan.fields.every((field) => field.optional || keys.has(field.name))) return undefined
  return { members, tail: Uint8Array.prototype.slice.call(bytes, lead, end), signature: signatureOf(bytes, members, lead, end) }
}

function signatureOf(bytes: Buffer, members: readonly Member[], tail: number, end: number): string {
  return JSON.stringify([...members.map(({ lead }) => Buffer.from(lead).latin1Slice()), bytes.latin1Slice(tail, end)])
}
