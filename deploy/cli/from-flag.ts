import { StreamError } from '../../engine/errors.ts'
import { partitionName } from '../../engine/runtime/steering.ts'
import { placeOf } from './flag-values.ts'

export const fromHelp =
  'replay from: zero, earliest-available (what retention left), a time of appending, or flights/0@500 (can be given again)'

/** What the API calls it. USAGE. @param texts the values of --from, in order. */
export function fromOf(texts: readonly string[]): object {
  const [first = 'zero'] = texts
  const places = texts.flatMap((text) => placeOf(text) ?? [])
  if (texts.length > 0 && places.length === texts.length) {
    const offsets = places.map(({ topic, partition, offset }) => [partitionName(topic, partition), offset] as const)
    return { type: 'offsets', offsets: Object.fromEntries(offsets) }
  }
  const fix = 'zero, earliest-available, a time as 2026-11-01T00:00:00Z, or for each partition its offset, as flights/0@500'
  if (texts.length > 1) throw new StreamError('USAGE', { reason: `--from ${texts.join(', ')}: only offsets can be given again` }, { fix })
  if (first === 'zero' || first === 'earliest-available') return { type: first }
  if (/^\d{4}-\d\d-\d\d/.test(first) && !Number.isNaN(Date.parse(first))) return { type: 'timestamp', at: new Date(first).toISOString() }
  throw new StreamError('USAGE', { reason: `--from ${first} is no place to begin with` }, { fix })
}
