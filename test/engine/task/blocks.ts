import { BlockBuilder } from '../../../engine/block/block-builder.ts'
import { BlockView, type Chunk, stampBlock, viewsOf } from '../../../engine/block/block-view.ts'
import type { NewRecord } from '../../../engine/model/record.ts'

/** Records by event time; the value is the place in the list. */
export function recordsAt(times: readonly number[]): NewRecord[] {
  return times.map((eventTime, i) => ({ key: null, value: Buffer.from(String(i)), eventTime }))
}

/** A block as a log would give it back. */
export function placedBlock(records: readonly NewRecord[], baseOffset: number, appendTime = 0): BlockView {
  const builder = new BlockBuilder()
  for (const record of records) builder.add(record)
  const bytes = slack(builder.finish())
  stampBlock(bytes, 0, baseOffset, appendTime)
  return new BlockView({ ...viewsOf(bytes), blocks: [0], release() {} }, 0)
}

/** A chunk of blocks that says when it was released. */
export function chunkOf(blocks: readonly BlockView[], released: () => void = () => {}): Chunk {
  const parts = blocks.map((block) => block.chunk.bytes.subarray(block.at, block.at + block.length))
  const starts = blocks.map((_, i) => blocks.slice(0, i).reduce((sum, { length }) => sum + length, 0))
  return { ...viewsOf(slack(Buffer.concat(parts))), blocks: starts, release: released }
}

/** In a buffer of its own, with readable bytes behind. */
export function slack(bytes: Uint8Array): Buffer {
  const copy = Buffer.from(new ArrayBuffer(bytes.length + 16))
  copy.set(bytes)
  return copy
}
