import type { EpochMs, Offset } from '../../model/record.ts'
import type { TopicInfo } from '../../ports/log.ts'
import { Catalog } from './catalog.ts'
import type { SegmentInfo } from './operation.ts'

/**
 * The detail of a head frame: all that the frames before it have brought about, so that nothing older has to be read.
 * Topics whose ids were used are gone from it when deleted; the next id stays.
 */
export interface HeadState {
  readonly topics: readonly { readonly info: TopicInfo; readonly starts: readonly Offset[]; readonly ends: readonly Offset[] }[]
  /** [name, number, epoch, seq, hash] */
  readonly producers: readonly (readonly [string, number, number, number, string])[]
  readonly appendTime: EpochMs
  readonly nextFile: number
  readonly nextTopic: number
  readonly nextProducer: number
  /** Older log files with their exact ends, by number: [number, end]. Together with the segments: every valid file but this one. */
  readonly logs: readonly (readonly [number, number])[]
  readonly segments: readonly SegmentInfo[]
}

export function headStateOf(catalog: Catalog): HeadState {
  return {
    topics: [...catalog.topics.values()].map(({ info, partitions }) => ({
      info,
      starts: partitions.map(({ start }) => start),
      ends: partitions.map(({ end }) => end),
    })),
    producers: [...catalog.producers.values()].map(({ name, number, epoch, end }) => [name, number, epoch, end.seq, end.hash]),
    appendTime: catalog.appendTime,
    nextFile: catalog.nextFile,
    nextTopic: catalog.nextTopic,
    nextProducer: catalog.nextProducer,
    logs: [...catalog.logs.values()].map(({ number, end }) => [number, end]),
    segments: [...catalog.segments.values()],
  }
}

/** A catalog as of the head. What lies in log files is not indexed yet. */
export function catalogOf(state: HeadState, commitNumber: number): Catalog {
  const catalog = new Catalog()
  for (const { info, starts, ends } of state.topics) {
    const bounds = starts.map((start, i) => ({ start, end: ends[i]! }))
    catalog.addTopic(info, bounds)
  }
  for (const [name, number, epoch, seq, hash] of state.producers) catalog.addProducer({ name, number, epoch, end: { seq, hash } })
  for (const segment of state.segments) catalog.addSegment(segment)
  for (const [number, end] of state.logs) catalog.logs.set(number, { number, end })
  catalog.commitNumber = commitNumber
  catalog.appendTime = state.appendTime
  catalog.nextFile = state.nextFile
  catalog.nextTopic = state.nextTopic
  catalog.nextProducer = state.nextProducer
  return catalog
}

export function encodeJson(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value), 'utf8')
}
