import type { ByteSink } from '../block/byte-sink.ts'
import type { Key } from '../model/record.ts'

/** Writes a key's bytes as they stand in the log: UTF-8 text; numbers as decimal text. */
export function writeKey(key: Key, out: ByteSink): void {
  if (typeof key === 'string') {
    out.utf8(key)
    return
  }
  out.need(24)
  if (Number.isSafeInteger(key) && key >= 0 && key < 4294967296) {
    out.at = writeUint32(key, out.buf, out.at)
    return
  }
  out.at += out.buf.latin1Write(String(key), out.at)
}

function writeUint32(value: number, bytes: Buffer, at: number): number {
  let digits = 1
  for (let bound = 10; value >= bound; bound *= 10) digits++
  const end = at + digits
  for (let p = end - 1, rest = value; p >= at; p--) {
    const next = Math.floor(rest / 10)
    bytes[p] = 48 + (rest - next * 10)
    rest = next
  }
  return end
}
