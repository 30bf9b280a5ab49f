import type { Catalog, TopicState } from './catalog.ts'
import type { Extent } from './partition-index.ts'

/** Bytes of the blocks of one stretch. */
export function bytesOfExtent(catalog: Catalog, { file, from, table }: Extent, topic: number, partition: number): number {
  if (table) return table.bytes
  const range = catalog.segments.get(file)?.ranges.find((one) => one.topic === topic && one.partition === partition && one.from === from)
  return range?.bytes ?? 0
}

/** Bytes of all blocks of a topic that are indexed, with the few below its starts that lie in one file with others. Reads no file. */
export function bytesOfTopic(catalog: Catalog, { info, partitions }: TopicState): number {
  let bytes = 0
  for (const [partition, { index }] of partitions.entries())
    for (const extent of index.all()) bytes += bytesOfExtent(catalog, extent, info.id, partition)
  return bytes
}
