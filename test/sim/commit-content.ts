import { BlockView, viewsOf } from '../../engine/block/block-view.ts'
import type { JournalRecord } from '../../engine/model/slice.ts'
import type { Append } from '../../engine/ports/log.ts'
import { parseJournalRecord } from '../../engine/runtime/journal-codec.ts'

/** The journal record a commit carries, read before the log takes the bytes over. */
export function journalOf(appends: readonly Append[]): { task: number; record: JournalRecord } | undefined {
  const found = appends.find(({ topic }) => topic.endsWith('.journal'))
  if (found === undefined) return undefined
  const { topic, partition } = found
  return { task: partition, record: parseJournalRecord(firstValue(found), { topic, partition, offset: -1 }) }
}

export function firstValue({ block }: Append): Uint8Array {
  const bytes = Buffer.from(new ArrayBuffer(block.length))
  bytes.set(block)
  return new BlockView({ ...viewsOf(bytes), blocks: [0], release() {} }, 0).value(0)!
}
