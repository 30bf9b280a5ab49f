import type { ByteSink } from '../block/byte-sink.ts'
import { NUMBER_BYTES_MAX, writeNumber } from '../codec/json/write-number.ts'
import type { Key } from '../model/record.ts'

/** Writes a key's bytes as they stand in the log: UTF-8 text; numbers as decimal text. */
export function writeKey(key: Key, out: ByteSink): void {
  if (typeof key === 'string') {
    out.utf8(key)
    return
  }
  out.need(NUMBER_BYTES_MAX)
  out.at = writeNumber(out.buf, out.view, out.at, key)
}
