import type { ByteSink } from '../../block/byte-sink.ts'

/** At most 5 bytes, which the caller has made room for. @param value a whole number in [0, 2^32). */
export function writeVarint(value: number, out: ByteSink): void {
  const { buf } = out
  let { at } = out
  let rest = value
  while (rest > 127) {
    buf[at++] = (rest & 127) | 128
    rest >>>= 7
  }
  buf[at++] = rest
  out.at = at
}
