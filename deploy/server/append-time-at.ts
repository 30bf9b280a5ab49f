import { BlockView } from '../../engine/block/block-view.ts'
import { codeOf } from '../../engine/errors.ts'
import type { EpochMs, Offset } from '../../engine/model/record.ts'
import type { Log } from '../../engine/ports/log.ts'

/** Of the record at this offset or the next one there is. */
export async function appendTimeAt(log: Log, topic: string, partition: number, offset: Offset): Promise<EpochMs | undefined> {
  const reader = log.reader(topic, partition, offset)
  try {
    const chunk = await reader.read(1)
    if (chunk === null) return undefined
    try {
      const block = new BlockView(chunk, chunk.blocks[0]!)
      return block.appendTimeOf(Math.max(0, offset - block.baseOffset))
    } finally {
      chunk.release()
    }
  } catch (error) {
    // Retention came in between; the version itself is told by its next read.
    if (codeOf(error) === 'OFFSET_OUT_OF_RANGE') return undefined
    throw error
  } finally {
    await reader.close()
  }
}
