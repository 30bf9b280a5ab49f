import { StreamError } from '../../engine/errors.ts'
import type { EpochMs, Offset } from '../../engine/model/record.ts'
import type { Log } from '../../engine/ports/log.ts'
import { partitionName, type Starts } from '../../engine/runtime/steering.ts'
import { appendTimeAt } from './append-time-at.ts'

/** Where a version is to begin: offset zero; what retention has left; records appended from a time on; offsets, and zero where none is named. */
export type From =
  | { readonly type: 'zero' }
  | { readonly type: 'earliest-available' }
  | { readonly type: 'timestamp'; readonly at: EpochMs }
  | { readonly type: 'offsets'; readonly offsets: Starts }

/**
 * The offsets that this means now, without zeros. A topic that is not there yet has none. Errors: OFFSET_OUT_OF_RANGE for one that is not
 * in the log, REQUEST_INVALID for a partition that the job does not read.
 */
export async function startsOf(log: Log, sources: readonly string[], from: From): Promise<Starts> {
  const starts: Record<string, Offset> = {}
  const there = new Set<string>()
  for (const topic of sources) {
    for (let partition = 0; partition < (log.topic(topic)?.partitions ?? 0); partition++) {
      const at = await startOf(log, topic, partition, from)
      there.add(partitionName(topic, partition))
      if (at > 0) starts[partitionName(topic, partition)] = at
    }
  }
  if (from.type === 'offsets') {
    for (const [name, offset] of Object.entries(from.offsets)) {
      if (there.has(name) || (offset === 0 && sources.some((topic) => log.topic(topic) === undefined && name.startsWith(`${topic}/`))))
        continue
      throw new StreamError(
        'REQUEST_INVALID',
        { partition: name, reason: 'the job does not read it' },
        { fix: `it reads ${[...there].join(', ') || sources.join(', ')}` },
      )
    }
  }
  return starts
}

async function startOf(log: Log, topic: string, partition: number, from: From): Promise<Offset> {
  const { start, end } = log.bounds(topic, partition)
  switch (from.type) {
    case 'zero':
      return 0
    case 'earliest-available':
      return start
    case 'timestamp':
      return firstSince(log, topic, partition, from.at)
    case 'offsets': {
      const offset = from.offsets[partitionName(topic, partition)] ?? 0
      if (offset === 0 || (offset >= start && offset <= end)) return offset
      throw new StreamError('OFFSET_OUT_OF_RANGE', { topic, partition, offset, earliest: start, end }, { fix: 'begin within these' })
    }
  }
}

/** The first record appended at that time or later, or the end; append times never go back. */
async function firstSince(log: Log, topic: string, partition: number, at: EpochMs): Promise<Offset> {
  const { start, end } = log.bounds(topic, partition)
  let [low, high] = [start, end]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (((await appendTimeAt(log, topic, partition, middle)) ?? Number.NEGATIVE_INFINITY) >= at) high = middle
    else low = middle + 1
  }
  return low
}
