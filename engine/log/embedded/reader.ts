import { basename } from 'node:path'
import { assert } from '../../assert.ts'
import type { Chunk } from '../../block/block-view.ts'
import { codeOf, StreamError } from '../../errors.ts'
import type { Offset } from '../../model/record.ts'
import type { LogReader } from '../../ports/log.ts'
import { readBlocks } from './block-read.ts'
import type { BufferPool } from './buffer-pool.ts'
import type { Catalog, PartitionState } from './catalog.ts'
import { corrupt } from './corrupt.ts'
import type { OpenFiles } from './open-files.ts'
import type { Extent } from './partition-index.ts'
import { partitionKey, type SegmentDirectories } from './segment-directory.ts'

/** What readers read from: in the writer's thread its own catalog, in others one that follows the files. */
export interface ReaderSource {
  /** Errors: LOG_UNAVAILABLE when closed. */
  catalog(): Catalog
  /** Looks for more. @returns whether the catalog changed. */
  refresh(): Promise<boolean>
  readonly files: OpenFiles
  readonly directories: SegmentDirectories
  readonly pool: BufferPool
}

export interface PartitionName {
  readonly topic: string
  readonly topicId: number
  readonly partition: number
}

export class EmbeddedReader implements LogReader {
  position: Offset
  private readonly source: ReaderSource
  private readonly name: PartitionName
  private reading = false
  private closed = false

  constructor(source: ReaderSource, name: PartitionName, from: Offset) {
    this.source = source
    this.name = name
    this.position = from
  }

  async read(bytesMax: number): Promise<Chunk | null> {
    assert(!this.closed && !this.reading, 'a reader is used after close or twice at a time')
    this.reading = true
    try {
      return await this.readNext(bytesMax)
    } finally {
      this.reading = false
    }
  }

  async close(): Promise<void> {
    this.closed = true
  }

  private async readNext(bytesMax: number): Promise<Chunk | null> {
    for (;;) {
      const catalog = this.source.catalog()
      const state = this.partition(catalog)
      if (this.position >= state.end && (await this.source.refresh())) continue
      if (this.position < state.start || this.position > state.end) throw this.outOfRange(state)
      const extent = state.index.find(this.position)
      if (extent === undefined) {
        // Nothing up to the end: what may be left below it was compacted away.
        this.position = state.end
        return null
      }
      const { edits } = catalog
      try {
        const chunk = await this.readFrom(extent, bytesMax)
        if (chunk !== undefined) return chunk
      } catch (error) {
        if (codeOf(error) !== 'FILE_UNREADABLE') throw error
        // A file that is missing was rewritten: the newer list says where its content is.
        const moved = this.source.catalog().edits !== edits || (await this.source.refresh())
        // Of an index or of its blocks: the error says which.
        if (!moved) throw corrupt(basename((error as StreamError).details.file as string), 0, 'the file is missing', { cause: error })
      }
    }
  }

  /** @returns undefined when there is nothing in the extent from the position on: the position moved past it. */
  private async readFrom(extent: Extent, bytesMax: number): Promise<Chunk | undefined> {
    const { files, directories, pool } = this.source
    const { topicId, partition } = this.name
    const table = extent.table ?? (await directories.get(extent.file)).get(partitionKey(topicId, partition))
    if (table === undefined) throw corrupt(extent.blocksIn, 0, 'the segment lacks a partition that the list promises')
    const first = table.find(this.position)
    // A mixed segment may hold stretches of a partition that lie apart.
    const limit = table.find(extent.to)
    if (first >= limit) {
      assert(extent.to > this.position, 'an extent was found that ends below the position')
      this.position = extent.to
      return undefined
    }
    const { chunk, next } = await files.use(extent.blocksIn, (file) =>
      readBlocks(file, extent.blocksIn, table, first, limit, bytesMax, pool),
    )
    this.position = table.endOf(next - 1)
    return chunk
  }

  private partition(catalog: Catalog): PartitionState {
    const state = catalog.topics.get(this.name.topicId)?.partitions[this.name.partition]
    if (state === undefined) throw new StreamError('TOPIC_UNKNOWN', { topic: this.name.topic, partition: this.name.partition })
    return state
  }

  private outOfRange({ start, end }: PartitionState): StreamError {
    const { topic, partition } = this.name
    return new StreamError('OFFSET_OUT_OF_RANGE', { topic, partition, offset: this.position, earliest: start, end })
  }
}
