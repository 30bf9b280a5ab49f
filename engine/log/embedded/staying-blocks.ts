import type { Offset } from '../../model/record.ts'
import type { BlockTable } from './block-table.ts'
import type { Catalog } from './catalog.ts'
import type { ClosedLog } from './operation.ts'
import type { EmbeddedLogSettings } from './settings.ts'

/** Blocks of a closed log file that stay where they are: a segment will say where. */
export interface StayingBlocks {
  readonly log: ClosedLog
  readonly partitions: readonly StayingPartition[]
}

export interface StayingPartition {
  readonly topic: number
  readonly partition: number
  readonly table: BlockTable
  /** First and one past the last block that stays. */
  readonly from: number
  readonly to: number
}

/** What does not stay, or is not wanted any more, keeps its space until the file goes: at most this part of the file. */
const wasteMax = 1 / 4

/**
 * The partitions whose blocks are, on average, so large that a rewrite would move them as they are. Copying them would only cost.
 * @returns undefined when they are not most of the file. Pure.
 */
export function stayingBlocks(catalog: Catalog, log: ClosedLog, { joinedBlockBytes }: EmbeddedLogSettings): StayingBlocks | undefined {
  const staying: StayingPartition[] = []
  let stayingBytes = 0
  for (const [topic, { partitions }] of catalog.topics) {
    for (const [partition, { index, start }] of partitions.entries()) {
      const table = index.inFile(log.number)?.table
      if (table === undefined) continue
      const one = { topic, partition, table, ...wanted(table, start) }
      const bytes = bytesOf(one)
      if (one.from === one.to || bytes < (one.to - one.from) * (joinedBlockBytes / 2)) continue
      staying.push(one)
      stayingBytes += bytes
    }
  }
  return stayingBytes >= log.end * (1 - wasteMax) ? { log, partitions: staying } : undefined
}

function wanted(table: BlockTable, start: Offset): { from: number; to: number } {
  return { from: table.find(start), to: table.count }
}

function bytesOf({ table, from, to }: StayingPartition): number {
  let bytes = 0
  for (let i = from; i < to; i++) bytes += table.lengths[i]!
  return bytes
}
