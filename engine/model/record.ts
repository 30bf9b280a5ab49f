/** The next record to read, or one past the end, unless the name says otherwise (`lastOffset`). A double: exact to 2^53. */
export type Offset = number
/** Milliseconds since 1970 UTC. */
export type EpochMs = number
/** What records are grouped by. Numbers come before strings in canonical order; numbers by value, strings by UTF-16 code unit. */
export type Key = string | number

export interface Header {
  readonly name: string
  readonly value: Uint8Array
}

/** A record on its way into the log. `value: null` is a tombstone. */
export interface NewRecord {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly eventTime: EpochMs
  readonly headers?: readonly Header[]
}

/** A record as the log gives it back. */
export interface LogRecord extends NewRecord {
  readonly offset: Offset
  readonly appendTime: EpochMs
  readonly headers: readonly Header[]
}

/** Canonical order of keys: a function of the keys alone, so that results never depend on the order of arrival. */
export function compareKeys(a: Key, b: Key): number {
  if (typeof a === typeof b) return a < b ? -1 : a > b ? 1 : 0
  return typeof a === 'number' ? -1 : 1
}
