import { assert } from '../../assert.ts'
import type { Chunk } from '../../block/block-view.ts'
import type { Offset } from '../../model/record.ts'
import type { LogReader } from '../../ports/log.ts'
import type { MemoryPartition } from './memory-partition.ts'

export class MemoryReader implements LogReader {
  position: Offset
  /** Throws what stands in the way of reading: the log is closed, the topic deleted. */
  private readonly partition: () => MemoryPartition
  private closed = false

  constructor(from: Offset, partition: () => MemoryPartition) {
    this.position = from
    this.partition = partition
  }

  async read(bytesMax: number): Promise<Chunk | null> {
    assert(!this.closed, 'read after close')
    const partition = this.partition()
    const found = partition.read(this.position, bytesMax)
    // Nothing up to the end: what may be left below it was compacted away.
    this.position = found?.next ?? partition.end
    return found?.chunk ?? null
  }

  async close(): Promise<void> {
    this.closed = true
  }
}
