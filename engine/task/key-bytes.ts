import type { ByteSink } from '../block/byte-sink.ts'
import { NUMBER_BYTES_MAX, writeNumber } from '../codec/json/write-number.ts'
import type { Key } from '../model/record.ts'

/**
 * What a function of the job gave, as the one form a key has in memory and in the log: -0 is 0, and half a surrogate pair, for which there is no
 * UTF-8, is U+FFFD. Else keys that differ in one task would be one key behind an exchange.
 * @returns undefined when it is no key.
 */
export function keyOf(given: unknown): Key | undefined {
  if (typeof given === 'string') return given.isWellFormed() ? given : given.toWellFormed()
  if (typeof given === 'number' && Number.isFinite(given)) return given === 0 ? 0 : given
  return undefined
}

/** Writes a key's bytes as they stand in the log: UTF-8 text; numbers as decimal text. */
export function writeKey(key: Key, out: ByteSink): void {
  if (typeof key === 'string') {
    out.utf8(key)
    return
  }
  out.need(NUMBER_BYTES_MAX)
  out.at = writeNumber(out.buf, out.view, out.at, key)
}
