import type { EpochMs, Offset } from '../../model/record.ts'
import type { BlockTable } from './block-table.ts'
import type { Catalog, PartitionState, TopicState } from './catalog.ts'
import type { NewStart } from './operation.ts'
import { bytesOfExtent } from './partition-bytes.ts'
import type { Extent } from './partition-index.ts'
import type { Pins } from './pins.ts'
import { partitionKey, type SegmentDirectories } from './segment-directory.ts'

export interface RetentionParts {
  readonly catalog: Catalog
  readonly pins: Pins
  readonly directories: SegmentDirectories
}

/**
 * Where partitions begin when retention is applied: whole blocks go that are older than the topic's time, or as long as the partition
 * has more than the topic's bytes; never one that ends above a pin.
 */
export async function dueStarts(parts: RetentionParts, now: EpochMs): Promise<NewStart[]> {
  const starts: NewStart[] = []
  for (const topic of parts.catalog.topics.values()) {
    const { retentionMs, retentionBytes, id } = topic.info
    if (retentionMs === undefined && retentionBytes === undefined) continue
    for (const [partition, state] of topic.partitions.entries()) {
      const start = await dueStart(parts, topic, partition, state, now)
      if (start > state.start) starts.push({ topic: id, partition, start })
    }
  }
  return starts
}

async function dueStart(
  { catalog, pins, directories }: RetentionParts,
  { info }: TopicState,
  partition: number,
  state: PartitionState,
  now: EpochMs,
): Promise<Offset> {
  const { retentionMs = Number.POSITIVE_INFINITY, retentionBytes = Number.POSITIVE_INFINITY } = info
  const pinned = pins.lowest(state)
  const extents = [...state.index.all()]
  const tableOf = async ({ file, table }: Extent) => table ?? (await directories.get(file)).get(partitionKey(info.id, partition))!
  let bytes = 0
  for (const extent of extents) bytes += bytesOfExtent(catalog, extent, info.id, partition)
  // The first one may begin below the start: what lies there counts no more.
  const [first] = extents
  if (first) bytes -= bytesBelow(await tableOf(first), state.start)
  let { start } = state
  for (const extent of extents) {
    const table = await tableOf(extent)
    const limit = table.find(extent.to)
    for (let i = table.find(Math.max(extent.from, start)); i < limit; i++) {
      const end = table.endOf(i)
      const due = table.appendTimes[i]! < now - retentionMs || bytes > retentionBytes
      if (end > pinned || !due) return start
      bytes -= table.lengths[i]!
      start = end
    }
  }
  return start
}

function bytesBelow(table: BlockTable, start: Offset): number {
  let bytes = 0
  for (let i = 0; i < table.count && table.endOf(i) <= start; i++) bytes += table.lengths[i]!
  return bytes
}
