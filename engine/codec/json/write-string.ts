import type { ByteSink } from '../../block/byte-sink.ts'
import { stringByte } from './scan.ts'

/** Up to this length a loop over the characters beats the call that writes them at once. */
const SHORT = 40

const needsEscape = /["\\\p{Cc}\p{Surrogate}]/u

/**
 * Writes a string as JSON.stringify does, quotes included, at `at` (which is at or after out.at).
 * Moves out.at while it makes room: for itself and `reserve` bytes more. @returns the position after it; read out.buf and out.view again.
 */
export function writeString(out: ByteSink, at: number, text: string, reserve: number): number {
  out.at = at
  out.need(text.length * 3 + 2 + reserve)
  const bytes = out.buf
  if (text.length > SHORT) return writeLong(out, at, text, reserve)
  const start = at
  bytes[at++] = 34
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code > 127 || stringByte[code] !== 0) return writeLong(out, start, text, reserve)
    bytes[at++] = code
  }
  bytes[at++] = 34
  return at
}

function writeLong(out: ByteSink, at: number, text: string, reserve: number): number {
  if (needsEscape.test(text)) {
    const escaped = JSON.stringify(text)
    out.need(escaped.length * 3 + reserve)
    return at + out.buf.utf8Write(escaped, at)
  }
  out.buf[at] = 34
  const end = at + 1 + out.buf.utf8Write(text, at + 1)
  out.buf[end] = 34
  return end + 1
}
