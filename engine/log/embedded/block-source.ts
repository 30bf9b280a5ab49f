import { BlockView, type Chunk, viewsOf } from '../../block/block-view.ts'
import type { FileSystem } from '../../ports/file-system.ts'
import type { BlockRange } from './block-groups.ts'
import { readBlocks } from './block-read.ts'
import type { BufferPool } from './buffer-pool.ts'
import { corrupt } from './corrupt.ts'
import { logFileName } from './file-names.ts'
import { entryFault } from './frame-fault.ts'
import { readWhole, type WholeRead } from './log-scan.ts'
import type { OpenFiles } from './open-files.ts'

export interface SourceBlocks {
  readonly blocks: readonly BlockView[]
  /** The views may not be used any more. */
  release(): void
}

/** Where a rewrite takes blocks from; they are verified. Errors: LOG_CORRUPT. */
export interface BlockSource {
  read(range: BlockRange): Promise<SourceBlocks>
}

/** Verifying so many takes some tenths of a millisecond. */
const manyBlocks = 256

/** A log file of small blocks, read whole: those of a partition lie all over it. */
export async function wholeLogSource(fs: FileSystem, number: number, how: Required<WholeRead>): Promise<BlockSource> {
  const name = logFileName(number)
  const bytes = await readWhole(fs, name, how)
  const chunk = { ...viewsOf(bytes), blocks: [], release() {} }
  return {
    async read({ table, from, to }) {
      const blocks: BlockView[] = []
      for (let i = from; i < to; i++) {
        const position = table.positions[i]!
        const reason = entryFault(bytes, position, bytes.length, table.lengths[i]!, table.checks[i]!)
        if (reason !== undefined) throw corrupt(name, position, reason)
        blocks.push(new BlockView(chunk, position))
        if (blocks.length % manyBlocks === 0) await how.rest()
      }
      await how.rest()
      return { blocks, release() {} }
    },
  }
}

/** A file of large blocks, or one where the blocks of a partition lie behind one another: read piece by piece. */
export function fileSource(files: OpenFiles, pool: BufferPool, name: string): BlockSource {
  return {
    async read({ table, from, to, bytes }) {
      const chunks: Chunk[] = []
      const release = () => {
        for (const chunk of chunks) chunk.release()
      }
      try {
        // A read ends early where blocks lie far apart.
        for (let at = from; at < to; ) {
          const { chunk, next } = await files.use(name, (file) => readBlocks(file, name, table, at, to, bytes, pool))
          chunks.push(chunk)
          at = next
        }
      } catch (error) {
        release()
        throw error
      }
      return { blocks: chunks.flatMap((chunk) => chunk.blocks.map((at) => new BlockView(chunk, at))), release }
    },
  }
}
