import { BlockView } from '../block/block-view.ts'
import type { LogRecord, Offset } from '../model/record.ts'
import type { LogView } from '../ports/log.ts'

const readBytes = 1 << 20

/**
 * The records of one partition with from <= offset < to, in order, each copied out of the log. Ends early where the log does: does not wait
 * for more. For tools and tests; tasks read blocks.
 * @throws StreamError OFFSET_OUT_OF_RANGE, TOPIC_UNKNOWN, LOG_CORRUPT as `LogReader.read` does.
 */
export async function* readRecords(
  log: Pick<LogView, 'bounds' | 'reader'>,
  topic: string,
  partition: number,
  from: Offset,
  to: Offset = log.bounds(topic, partition).end,
): AsyncGenerator<LogRecord, void, undefined> {
  const reader = log.reader(topic, partition, from)
  try {
    while (reader.position < to) {
      const position = reader.position
      const chunk = await reader.read(readBytes)
      if (chunk === null) return
      try {
        for (const at of chunk.blocks) {
          const block = new BlockView(chunk, at)
          const last = Math.min(block.count, to - block.baseOffset)
          for (let i = Math.max(0, position - block.baseOffset); i < last; i++) yield block.record(i)
        }
      } finally {
        chunk.release()
      }
    }
  } finally {
    await reader.close()
  }
}
