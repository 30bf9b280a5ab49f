import type { Catalog } from './catalog.ts'
import { bytesOnDisk, type SegmentInfo } from './operation.ts'
import type { EmbeddedLogSettings } from './settings.ts'
import { type StayingBlocks, stayingBlocks } from './staying-blocks.ts'

/** Segments of one partition are merged when this many small ones lie behind one another. */
const ownSegmentsMax = 8

export interface RewritePlan {
  /** Files that leave the list. What is still wanted of them goes into new segments. */
  readonly out: readonly number[]
  /** Of a log file: what a segment only says the place of. */
  readonly stays?: StayingBlocks | undefined
}

/**
 * What to rewrite next. Undefined: nothing to do.
 * Pure. The order matters: dropping files makes room, log files count against the bound of what is not yet rewritten.
 */
export function planRewrite(catalog: Catalog, settings: EmbeddedLogSettings): RewritePlan | undefined {
  const segments = [...catalog.segments.values()]
  const dead = segments.filter((segment) => liveBytes(catalog, segment) === 0)
  if (dead.length > 0) return planOf(dead)
  if (catalog.logs.size > 0) {
    const log = catalog.logs.get(Math.min(...catalog.logs.keys()))!
    return { out: [log.number], stays: stayingBlocks(catalog, log, settings) }
  }
  // Not so one with its own blocks: it is of one partition, or goes with the other mixed ones.
  const wasted = segments.filter((one) => one.blocksIn && liveBytes(catalog, one) < bytesOnDisk(one) / 2)
  if (wasted.length > 0) return planOf(wasted.slice(0, 1))
  const mixed = segments.filter((segment) => segment.mixed)
  return planOf(mixed.length >= settings.mixedSegmentsMax ? mixed : smallNeighbours(catalog, settings))
}

/**
 * The part of its time a rewrite may work while commits come: a tenth where up to a quarter of the bound waits, all of it from three quarters on.
 */
export function partOfTime(waitingBytes: number, boundBytes: number): number {
  return Math.min(1, Math.max(0.1, 0.1 + 1.8 * (waitingBytes / boundBytes - 0.25)))
}

function planOf(segments: readonly SegmentInfo[]): RewritePlan | undefined {
  return segments.length === 0 ? undefined : { out: segments.map(({ number }) => number) }
}

/** Without stretches of a deleted topic, or wholly below the start. */
function liveBytes({ topics }: Catalog, { ranges }: SegmentInfo): number {
  return ranges.reduce((sum, { topic, partition, to, bytes }) => {
    const start = topics.get(topic)?.partitions[partition]?.start ?? to
    return to > start ? sum + bytes : sum
  }, 0)
}

/** A row of small segments of one partition; one that outweighs all behind it stays as it is, so that nothing is copied over and over. */
function smallNeighbours(catalog: Catalog, { logFileBytes }: EmbeddedLogSettings): readonly SegmentInfo[] {
  for (const { partitions } of catalog.topics.values()) {
    for (const { index } of partitions) {
      let row: SegmentInfo[] = []
      for (const { file } of index.all()) {
        const segment = catalog.segments.get(file)
        row = segment && !segment.mixed && bytesOnDisk(segment) < logFileBytes ? [...row, segment] : []
        if (row.length < ownSegmentsMax) continue
        if (bytesOnDisk(row[0]!) > bytesOf(row.slice(1))) row.shift()
        else return row
      }
    }
  }
  return []
}

function bytesOf(segments: readonly SegmentInfo[]): number {
  return segments.reduce((sum, segment) => sum + bytesOnDisk(segment), 0)
}
