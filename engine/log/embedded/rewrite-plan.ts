import type { Catalog } from './catalog.ts'
import type { SegmentInfo } from './operation.ts'
import type { EmbeddedLogSettings } from './settings.ts'

/** Segments of one partition are merged when this many small ones lie behind one another. */
const ownSegmentsMax = 8

/**
 * The files to rewrite next: they leave the list, and what is still wanted of them goes into new segments. Undefined: nothing to do.
 * Pure. The order matters: dropping files makes room, log files count against the bound of what is not yet rewritten.
 */
export function planRewrite(catalog: Catalog, settings: EmbeddedLogSettings): readonly number[] | undefined {
  const dead = [...catalog.segments.values()].filter((segment) => isDead(catalog, segment))
  if (dead.length > 0) return dead.map(({ number }) => number)
  if (catalog.logs.size > 0) return [Math.min(...catalog.logs.keys())]
  const mixed = [...catalog.segments.values()].filter((segment) => segment.mixed)
  if (mixed.length >= settings.mixedSegmentsMax) return mixed.map(({ number }) => number)
  return smallNeighbours(catalog, settings)
}

/** Of a deleted topic, or wholly below the start. */
function isDead(catalog: Catalog, segment: SegmentInfo): boolean {
  return segment.ranges.every(({ topic, partition, to }) => to <= (catalog.topics.get(topic)?.partitions[partition]?.start ?? to))
}

/** A row of small segments of one partition; one that outweighs all behind it stays as it is, so that nothing is copied over and over. */
function smallNeighbours(catalog: Catalog, { logFileBytes }: EmbeddedLogSettings): readonly number[] | undefined {
  for (const { partitions } of catalog.topics.values()) {
    for (const { index } of partitions) {
      let row: SegmentInfo[] = []
      for (const { file } of index.all()) {
        const segment = catalog.segments.get(file)
        row = segment && !segment.mixed && segment.bytes < logFileBytes ? [...row, segment] : []
        if (row.length < ownSegmentsMax) continue
        if (row[0]!.bytes > bytesOf(row.slice(1))) row.shift()
        else return row.map(({ number }) => number)
      }
    }
  }
  return undefined
}

function bytesOf(segments: readonly SegmentInfo[]): number {
  return segments.reduce((sum, { bytes }) => sum + bytes, 0)
}
