import { isUtf8 } from 'node:buffer'
import { StreamError } from '../errors.ts'
import type { BadRecord, Codec } from './codec.ts'

/** Records that are one UTF-8 text each. Bytes that are not UTF-8 are RECORD_MALFORMED, a lone surrogate is OUTPUT_INVALID. */
export function string(): Codec<string> {
  return {
    name: 'string',
    decode(bytes, _view, base, ends, endsAt, from, to, out, at) {
      let bad: Map<number, BadRecord> | undefined
      let start = from === 0 ? base : base + (ends[endsAt + from - 1] as number)
      for (let i = from; i < to; i++) {
        const end = base + (ends[endsAt + i] as number)
        const text = bytes.utf8Slice(start, end)
        // every invalid sequence becomes a replacement character, but those may also be meant
        const good = !text.includes('\ufffd') || isUtf8(bytes.subarray(start, end))
        out[at + i - from] = good ? text : undefined
        if (!good) {
          bad ??= new Map()
          bad.set(i, { code: 'RECORD_MALFORMED', path: '$', message: 'not valid UTF-8' })
        }
        start = end
      }
      return bad
    },
    encode(value, out) {
      if (typeof value !== 'string')
        throw new StreamError('OUTPUT_INVALID', { path: '$', message: `expected a string, got ${typeof value}` })
      if (/\p{Surrogate}/u.test(value)) throw new StreamError('OUTPUT_INVALID', { path: '$', message: 'a lone surrogate has no UTF-8' })
      out.utf8(value)
    },
  }
}
