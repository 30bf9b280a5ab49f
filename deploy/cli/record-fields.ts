import { isUtf8 } from 'node:buffer'
import { tooDeep } from '../json-depth.ts'
import { RawJson } from '../json-text.ts'
import { timeMax } from '../time-max.ts'

/** null where the record has no event time of its own. */
export function timeText(time: number): string | null {
  return Number.isFinite(time) && Math.abs(time) <= timeMax ? new Date(time).toISOString() : null
}

/** JSON objects and arrays as they stand there, on one line; everything else, and what is nested too deep, as bytesField says. */
export function valueField(bytes: Uint8Array | null): unknown {
  const text = bytesField(bytes)
  if (typeof text !== 'string' || !/^[{[]/.test(text)) return text
  try {
    JSON.parse(text)
  } catch {
    return text
  }
  if (tooDeep(text)) return text
  // Between two tokens a line end is white space, and within one there is none.
  return new RawJson(text.replace(/[\r\n]+/g, ' '))
}

/** Text where the bytes are text, else how they are said in base64. */
export function bytesField(bytes: Uint8Array | null): string | { base64: string } | null {
  if (bytes === null) return null
  const buffer = Buffer.from(bytes)
  return isUtf8(bytes) ? buffer.toString() : { base64: buffer.toString('base64') }
}

/** As it can be shown in a terminal: what would begin a new line there, or steer it, is written as in JSON. */
export function onOneLine(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => escapes[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** The same of text that has lines. */
export function onItsLines(text: string): string {
  return text.split('\n').map(onOneLine).join('\n')
}

const escapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }
