import { assert } from '../../assert.ts'
import type { Offset } from '../../model/record.ts'
import { BlockTable } from './block-table.ts'
import { logFileName } from './file-names.ts'
import type { BlockEntry } from './frame.ts'

/** A stretch of a partition's offsets that lies in one file. */
export interface Extent {
  readonly file: number
  /** Name of the file that holds the blocks. */
  readonly blocksIn: string
  readonly from: Offset
  to: Offset
  /** Where its blocks are; undefined for a segment, whose own directory says it. */
  readonly table: BlockTable | undefined
}

/**
 * Which file holds which offsets of one partition.
 * Invariant: extents are in offset order and do not overlap; there may be holes (compacted away).
 */
export class PartitionIndex {
  private extents: Extent[] = []

  /** Takes in a block of a log file; blocks come in offset order. */
  append(file: number, entry: BlockEntry): void {
    let last = this.extents.at(-1)
    if (last?.file !== file) {
      assert((last?.to ?? 0) <= entry.baseOffset, () => `block at ${entry.baseOffset} of file ${file} behind ${describe(last!)}`)
      last = { file, blocksIn: logFileName(file), from: entry.baseOffset, to: entry.baseOffset, table: new BlockTable() }
      this.extents.push(last)
    }
    last.table!.add(entry)
    last.to = entry.baseOffset + entry.count
  }

  /** Forgets what lies in these files. */
  remove(files: ReadonlySet<number>): void {
    if (this.extents.some((extent) => files.has(extent.file))) this.extents = this.extents.filter((extent) => !files.has(extent.file))
  }

  /** Takes in a stretch that lies in a segment. */
  insert(extent: Extent): void {
    let at = this.extents.length
    while (at > 0 && this.extents[at - 1]!.from > extent.from) at--
    const before = this.extents[at - 1]
    const behind = this.extents[at]
    assert((before?.to ?? 0) <= extent.from && extent.to <= (behind?.from ?? extent.to), () => `${describe(extent)} overlaps`)
    this.extents.splice(at, 0, extent)
  }

  /** Forgets extents that end at or below `start`. */
  trim(start: Offset): void {
    let dead = 0
    while (dead < this.extents.length && this.extents[dead]!.to <= start) dead++
    if (dead > 0) this.extents.splice(0, dead)
  }

  /** The first extent that ends above `offset`. */
  find(offset: Offset): Extent | undefined {
    let low = 0
    let high = this.extents.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.extents[middle]!.to > offset) high = middle
      else low = middle + 1
    }
    return this.extents[low]
  }

  inFile(file: number): Extent | undefined {
    return this.extents.find((extent) => extent.file === file)
  }

  all(): readonly Extent[] {
    return this.extents
  }
}

function describe({ file, from, to }: Extent): string {
  return `[${from}, ${to}) in file ${file}`
}
