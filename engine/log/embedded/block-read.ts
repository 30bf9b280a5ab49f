import type { Chunk } from '../../block/block-view.ts'
import type { ReadFile } from '../../ports/file-system.ts'
import type { BlockTable } from './block-table.ts'
import type { BufferPool, PooledBuffer } from './buffer-pool.ts'
import { corrupt } from './corrupt.ts'
import { entryFault } from './frame-fault.ts'

/** Bytes of others between two blocks that are read along rather than with another call. */
const gapBytesMax = 8 << 10

/** Calls for one chunk, all under way at once: where a partition's blocks are small and far apart a read ends early. */
const runsMax = 32

/** A stretch of the file that one call reads. */
interface Run {
  readonly from: number
  to: number
  /** Where it goes in the buffer. */
  readonly at: number
}

/**
 * Reads blocks of one partition from one file and verifies each, once.
 * @param first index into the table.
 * @param limit one past the last block that may be read.
 * @returns a chunk of at most about `bytesMax` (at least one block), and the index of the first block not read.
 * Errors: LOG_CORRUPT (file, position).
 */
export async function readBlocks(
  file: ReadFile,
  name: string,
  table: BlockTable,
  first: number,
  limit: number,
  bytesMax: number,
  pool: BufferPool,
): Promise<{ chunk: Chunk; next: number }> {
  const { runs, next, bytes } = plan(table, first, limit, bytesMax)
  const buffer = pool.acquire(bytes)
  try {
    await Promise.all(runs.map((run) => readRun(file, name, run, buffer)))
    return { chunk: { ...buffer, blocks: verify(buffer, name, table, first, next, runs) }, next }
  } catch (error) {
    buffer.release()
    throw error
  }
}

function plan(table: BlockTable, first: number, limit: number, bytesMax: number): { runs: Run[]; next: number; bytes: number } {
  const runs: Run[] = []
  let next = first
  let blockBytes = 0
  let bytes = 0
  for (; next < limit; next++) {
    const position = table.positions[next]!
    const length = table.lengths[next]!
    if (next > first && blockBytes + length > bytesMax) break
    const run = runs.at(-1)
    if (run && position >= run.to && position - run.to <= gapBytesMax) {
      bytes += position + length - run.to
      run.to = position + length
    } else {
      if (runs.length === runsMax) break
      runs.push({ from: position, to: position + length, at: bytes })
      bytes += length
    }
    blockBytes += length
  }
  return { runs, next, bytes }
}

async function readRun(file: ReadFile, name: string, { from, to, at }: Run, { bytes }: PooledBuffer): Promise<void> {
  const read = await file.read(bytes.subarray(at, at + to - from), from)
  if (read < to - from) throw corrupt(name, from + read, 'the file ends within a block')
}

/** @returns where each block begins in the buffer. */
function verify({ bytes }: PooledBuffer, name: string, table: BlockTable, first: number, next: number, runs: readonly Run[]): number[] {
  const blocks: number[] = []
  let r = 0
  for (let i = first; i < next; i++) {
    const position = table.positions[i]!
    while (position < runs[r]!.from || position >= runs[r]!.to) r++
    const at = runs[r]!.at + position - runs[r]!.from
    const reason = entryFault(bytes, at, bytes.length, table.lengths[i]!, table.checks[i]!)
    if (reason !== undefined) throw corrupt(name, position, reason)
    blocks.push(at)
  }
  return blocks
}
