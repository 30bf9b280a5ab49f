/**
 * Steps over JSON values, byte by byte. Each function gets the position of a value's first byte and the record's end, and gives the
 * position after the value, or -1 when the bytes are not what JSON.parse takes. None reads a byte at or after `end` as part of a value
 * (an escape may look at up to 5 bytes after it, and is refused then).
 */
export const QUOTE = 34
export const BACKSLASH = 92
const LETTER_U = 117

/** Nested deeper than this is left to JSON.parse, which does not recurse. */
const DEPTH_MAX = 64

/** What a byte is inside a string: 0 stands for itself, 1 quote, 2 backslash, 3 control character (not allowed), 4 not ASCII. */
export const stringByte = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte === QUOTE ? 1 : byte === BACKSLASH ? 2 : byte < 32 ? 3 : byte > 127 ? 4 : 0,
)

/** 0 for bytes a string can be skipped over, whatever they mean; invalid UTF-8 is a replacement character there, and no error. */
export const skippable = stringByte.map((kind) => (kind === 4 ? 0 : kind))

/** 1 for bytes that continue a number. */
export const numberByte = Uint8Array.from({ length: 256 }, (_, byte) => ('0123456789.eE+-'.includes(String.fromCharCode(byte)) ? 1 : 0))

const hexByte = Uint8Array.from({ length: 256 }, (_, byte) => (/[0-9a-fA-F]/.test(String.fromCharCode(byte)) ? 1 : 0))
const escapeByte = Uint8Array.from({ length: 256 }, (_, byte) => ('"\\/bfnrt'.includes(String.fromCharCode(byte)) ? 1 : 0))

export function skipSpace(bytes: Uint8Array, at: number, end: number): number {
  while (at < end) {
    const byte = bytes[at]
    if (byte !== 32 && byte !== 10 && byte !== 13 && byte !== 9) break
    at++
  }
  return at
}

/** From any byte of a string's inside to after its closing quote. */
export function skipString(bytes: Uint8Array, at: number, end: number): number {
  while (at < end) {
    const byte = bytes[at] as number
    if (skippable[byte] === 0) at++
    else if (byte === QUOTE) return at + 1
    else if (byte !== BACKSLASH) return -1
    else if (escapeByte[bytes[at + 1] as number] === 1) at += 2
    else if (bytes[at + 1] === LETTER_U && hexDigits(bytes, at + 2)) at += 6
    else return -1
  }
  return -1
}

export function skipNumber(bytes: Uint8Array, at: number, end: number): number {
  if (bytes[at] === 45) at++
  const first = at
  at = skipDigits(bytes, at, end)
  if (at === first || (bytes[first] === 48 && at > first + 1)) return -1
  if (at < end && bytes[at] === 46) {
    const fraction = at + 1
    at = skipDigits(bytes, fraction, end)
    if (at === fraction) return -1
  }
  if (at < end && (bytes[at] === 101 || bytes[at] === 69)) {
    at++
    if (bytes[at] === 43 || bytes[at] === 45) at++
    const exponent = at
    at = skipDigits(bytes, exponent, end)
    if (at === exponent) return -1
  }
  return at
}

export function skipValue(bytes: Uint8Array, at: number, end: number, depth: number): number {
  if (at >= end) return -1
  switch (bytes[at]) {
    case QUOTE:
      return skipString(bytes, at + 1, end)
    case 123:
      return depth < DEPTH_MAX ? skipObject(bytes, at + 1, end, depth + 1) : -1
    case 91:
      return depth < DEPTH_MAX ? skipArray(bytes, at + 1, end, depth + 1) : -1
    case 116:
      return skipWord(bytes, at, end, 'true')
    case 102:
      return skipWord(bytes, at, end, 'false')
    case 110:
      return skipWord(bytes, at, end, 'null')
    default:
      return skipNumber(bytes, at, end)
  }
}

function skipObject(bytes: Uint8Array, at: number, end: number, depth: number): number {
  at = skipSpace(bytes, at, end)
  if (at < end && bytes[at] === 125) return at + 1
  while (at < end && bytes[at] === QUOTE) {
    at = skipString(bytes, at + 1, end)
    if (at < 0) return -1
    at = skipSpace(bytes, at, end)
    if (at >= end || bytes[at] !== 58) return -1
    at = skipValue(bytes, skipSpace(bytes, at + 1, end), end, depth)
    if (at < 0) return -1
    at = skipSpace(bytes, at, end)
    if (at < end && bytes[at] === 125) return at + 1
    if (at >= end || bytes[at] !== 44) return -1
    at = skipSpace(bytes, at + 1, end)
  }
  return -1
}

function skipArray(bytes: Uint8Array, at: number, end: number, depth: number): number {
  at = skipSpace(bytes, at, end)
  if (at < end && bytes[at] === 93) return at + 1
  for (;;) {
    at = skipValue(bytes, at, end, depth)
    if (at < 0) return -1
    at = skipSpace(bytes, at, end)
    if (at < end && bytes[at] === 93) return at + 1
    if (at >= end || bytes[at] !== 44) return -1
    at = skipSpace(bytes, at + 1, end)
  }
}

function skipWord(bytes: Uint8Array, at: number, end: number, word: string): number {
  if (at + word.length > end) return -1
  for (let i = 0; i < word.length; i++) if (bytes[at + i] !== word.charCodeAt(i)) return -1
  return at + word.length
}

function skipDigits(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && ((bytes[at] as number) - 48) >>> 0 <= 9) at++
  return at
}

function hexDigits(bytes: Uint8Array, at: number): boolean {
  for (let i = at; i < at + 4; i++) if (hexByte[bytes[i] as number] !== 1) return false
  return true
}
