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

/** Segments of one partition that are together no larger than a few log files. */
function smallNeighbours(catalog: Catalog, { logFileBytes }: EmbeddedLogSettings): readonly number[] | undefined {
  for (const { partitions } of catalog.topics.values()) {
    for (const { index } of partitions) {
      let run: SegmentInfo[] = []
      for (const { file } of index.all()) {
        const segment = catalog.segments.get(file)
        if (segment && !segment.mixed && segment.bytes < logFileBytes) run.push(segment)
        else run = []
        if (run.length === ownSegmentsMax) return run.map(({ number }) => number)
      }
    }
  }
  return undefined
}
