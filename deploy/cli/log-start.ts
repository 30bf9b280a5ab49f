import { InvalidArgumentError } from 'commander'
import { readRecords } from '../../engine/log/read-records.ts'
import type { Offset } from '../../engine/model/record.ts'
import type { LogView } from '../../engine/ports/log.ts'

/** Where `log tail` begins: so many at the end of each partition, an offset, or the first record of a time. */
export type LogStart =
  | { readonly kind: 'beginning' | 'end' }
  | { readonly kind: 'last'; readonly records: number }
  | { readonly kind: 'offset'; readonly offset: Offset }
  | { readonly kind: 'time'; readonly time: number }

/** `beginning`, `end`, `-10` (the last ten), `881` (an offset), `s@2026-01-31T12:00:00Z` or `s@1767225600000` (event time). */
export function parseLogStart(text: string): LogStart {
  if (text === 'beginning' || text === 'end') return { kind: text }
  if (/^-\d+$/.test(text)) return { kind: 'last', records: Number(text.slice(1)) }
  if (/^\d+$/.test(text) && Number.isSafeInteger(Number(text))) return { kind: 'offset', offset: Number(text) }
  if (text.startsWith('s@')) {
    const when = text.slice(2)
    const time = /^-?\d+$/.test(when) ? Number(when) : Date.parse(when)
    if (Number.isFinite(time)) return { kind: 'time', time }
  }
  throw new InvalidArgumentError(
    'Write beginning, end, -10 for the last ten, an offset, or s@ and a time (epoch ms or 2026-01-31T12:00:00Z).',
  )
}

/** The offset to begin with in one partition. An offset outside of what is kept is told by the reader (OFFSET_OUT_OF_RANGE). */
export async function firstOffset(log: LogView, topic: string, partition: number, start: LogStart): Promise<Offset> {
  const bounds = log.bounds(topic, partition)
  switch (start.kind) {
    case 'beginning':
      return bounds.start
    case 'end':
      return bounds.end
    case 'last':
      return Math.max(bounds.start, bounds.end - start.records)
    case 'offset':
      return start.offset
    case 'time':
      for await (const { eventTime, offset } of readRecords(log, topic, partition, bounds.start)) if (eventTime >= start.time) return offset
      return bounds.end
  }
}
