import type { Offset } from '../../model/record.ts'
import type { BlockSource } from './block-source.ts'
import type { BlockTable } from './block-table.ts'

/** Blocks [from, to) of a table, in one file. */
export interface BlockRange {
  readonly source: BlockSource
  readonly table: BlockTable
  readonly from: number
  to: number
  bytes: number
}

/** Blocks without gaps between their offsets that become one block. */
export interface BlockGroup {
  readonly ranges: BlockRange[]
  count: number
  /** Of the blocks as they are; joined they are smaller. */
  bytes: number
  end: Offset
}

/** Blocks of one partition in one file, by their offsets. */
export interface BlockStretch {
  readonly source: BlockSource
  readonly table: BlockTable
  readonly from: Offset
  readonly to: Offset
}

/**
 * Small neighbours are joined up to `joinedBytes`, also over the border of two files; blocks of half of it and more stay alone and are
 * moved as they are.
 * @param stretches of one partition, in offset order.
 */
export function* groupBlocks(stretches: readonly BlockStretch[], joinedBytes: number): Generator<BlockGroup, void> {
  let open: BlockGroup | undefined
  for (const { source, table, from, to } of stretches) {
    const limit = table.find(to)
    for (let i = table.find(from); i < limit; i++) {
      const bytes = table.lengths[i]!
      const small = bytes < joinedBytes / 2
      if (open && (!small || open.end !== table.bases[i]! || open.bytes + bytes > joinedBytes)) {
        yield open
        open = undefined
      }
      open ??= { ranges: [], count: 0, bytes: 0, end: 0 }
      addBlock(open, source, table, i)
      if (small) continue
      yield open
      open = undefined
    }
  }
  if (open) yield open
}

function addBlock(group: BlockGroup, source: BlockSource, table: BlockTable, i: number): void {
  const bytes = table.lengths[i]!
  const range = group.ranges.at(-1)
  if (range?.table === table) {
    range.to++
    range.bytes += bytes
  } else group.ranges.push({ source, table, from: i, to: i + 1, bytes })
  group.count++
  group.bytes += bytes
  group.end = table.endOf(i)
}
