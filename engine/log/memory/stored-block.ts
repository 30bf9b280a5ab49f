import { assert } from '../../assert.ts'
import { BlockBuilder } from '../../block/block-builder.ts'
import { BlockView, blockFault, type Chunk, stampBlock, viewsOf } from '../../block/block-view.ts'
import type { EpochMs, Offset } from '../../model/record.ts'

/** Readable bytes behind the last block of a chunk, so that decoders may read past a value's end. */
const slackBytes = 16

/** A copy of an appended block, checked, in a buffer of its own; not yet stamped with its place. */
export function takeBlock(block: Uint8Array): Buffer {
  const bytes = Buffer.from(new ArrayBuffer(block.length + slackBytes))
  bytes.set(block)
  stampBlock(bytes, 0, 0, 0)
  const fault = blockFault(bytes, 0, block.length)
  assert(fault === undefined, () => `an appended block is not sound: ${fault}`)
  const { length, count } = new BlockView(chunkOf(bytes, [0]), 0)
  assert(length === block.length && count > 0, () => `an append of ${block.length} bytes holds a block of ${length}, ${count} records`)
  return bytes
}

/** Stamps the bytes of `takeBlock`, in place. */
export function placeBlock(bytes: Buffer, baseOffset: Offset, appendTime: EpochMs): BlockView {
  stampBlock(bytes, 0, baseOffset, appendTime)
  return new BlockView(chunkOf(bytes, [0]), 0)
}

/** The blocks' bytes behind one another, copied. Released, they are spoilt: whoever still reads them shall see it at once. */
export function joinChunk(blocks: readonly BlockView[]): Chunk {
  const bytes = Buffer.from(new ArrayBuffer(blocks.reduce((sum, block) => sum + block.length, slackBytes)))
  let at = 0
  const starts = blocks.map((block) => {
    block.chunk.bytes.copy(bytes, at, block.at, block.at + block.length)
    at += block.length
    return at - block.length
  })
  return { ...chunkOf(bytes, starts), release: () => void bytes.fill(0xdb) }
}

/**
 * The block without the records that `keep` refuses, as new blocks: offsets of a block have no gaps, so each unbroken run of records
 * that stay makes one. The block itself when all stay.
 */
export function filterBlock(block: BlockView, keep: (i: number) => boolean): readonly BlockView[] {
  const kept = Array.from({ length: block.count }, (_, i) => keep(i))
  if (!kept.includes(false)) return [block]
  const runs: BlockView[] = []
  for (let from = kept.indexOf(true); from !== -1; from = kept.indexOf(true, from)) {
    const gap = kept.indexOf(false, from)
    const to = gap === -1 ? block.count : gap
    const builder = new BlockBuilder()
    for (let i = from; i < to; i++) builder.add(block.record(i))
    runs.push(placeBlock(takeBlock(builder.finish()), block.baseOffset + from, block.appendTime))
    from = to
  }
  return runs
}

function chunkOf(bytes: Buffer, blocks: readonly number[]): Chunk {
  return { ...viewsOf(bytes), blocks, release() {} }
}
