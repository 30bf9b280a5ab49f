import { StreamError } from '../errors.ts'
import type { Codec } from './codec.ts'

/** Records as they are. Each decoded value is a copy of its own, which the job may keep. */
export function bytes(): Codec<Uint8Array> {
  return {
    name: 'bytes',
    decode(block, _view, base, ends, endsAt, from, to, out, at) {
      let start = from === 0 ? base : base + (ends[endsAt + from - 1] as number)
      for (let i = from; i < to; i++) {
        const end = base + (ends[endsAt + i] as number)
        const copy = new Uint8Array(end - start)
        copy.set(block.subarray(start, end))
        out[at + i - from] = copy
        start = end
      }
      return undefined
    },
    encode(value, out) {
      if (!(value instanceof Uint8Array)) throw new StreamError('OUTPUT_INVALID', { path: '$', message: 'expected a Uint8Array' })
      out.bytes(value)
    },
  }
}
