import { assert } from '../../assert.ts'
import { stampBlock } from '../../block/block-view.ts'
import type { EpochMs, Offset } from '../../model/record.ts'
import {
  bodyOffset,
  endBytes,
  entryBytes,
  type FrameHead,
  type FrameKind,
  type FramePlace,
  frameHeadBytes,
  type NamedEnd,
  readFrameHead,
  writeEnd,
  writeEntry,
  writeFrameHead,
} from './frame.ts'
import { KeptBuffer } from './kept-buffer.ts'

export interface PlacedBlock {
  readonly topic: number
  readonly partition: number
  readonly baseOffset: Offset
  readonly appendTime: EpochMs
  readonly count: number
  readonly block: Uint8Array
}

export interface FrameContent {
  readonly kind: FrameKind
  readonly commitNumber: number
  readonly appendTime: EpochMs
  readonly blocks?: readonly PlacedBlock[]
  readonly ends?: readonly NamedEnd[]
  readonly detail?: Uint8Array
}

export interface EncodedFrame {
  /** The frame and nothing else; valid until the next one is encoded. */
  readonly bytes: Buffer
  readonly head: FrameHead
}

/** Larger buffers are not kept for reuse. */
const keptBytesMax = 32 << 20

/** Encodes frames, one after the other, into a buffer that is reused. */
export class FrameWriter {
  private readonly memory = new KeptBuffer(keptBytesMax)

  encode(place: FramePlace, content: FrameContent): EncodedFrame {
    const { kind, commitNumber, appendTime, blocks = [], ends = [], detail } = content
    const endsBytes = ends.reduce((sum, { hash }) => sum + endBytes(hash), 0)
    const sizes = { blocks: blocks.length, endsBytes, detailBytes: detail?.length ?? 0 }
    const body = bodyOffset(sizes)
    const length = blocks.reduce((sum, { block }) => sum + block.length, body)
    const out = this.memory.take(length)
    out.fill(0, 0, body)
    let entryAt = frameHeadBytes
    let at = body
    for (const { topic, partition, baseOffset, appendTime, count, block } of blocks) {
      out.set(block, at)
      stampBlock(out, at, baseOffset, appendTime)
      writeEntry(out, entryAt, { topic, partition, baseOffset, appendTime, count, length: block.length, check: out.readUInt32LE(at + 4) })
      entryAt += entryBytes
      at += block.length
    }
    for (const end of ends) entryAt = writeEnd(out, entryAt, end)
    if (detail) out.set(detail, entryAt)
    writeFrameHead(out, 0, { ...place, ...sizes, length, kind, commitNumber, appendTime })
    const head = readFrameHead(out, 0)
    assert(head !== undefined, 'a frame just written does not verify')
    return { bytes: out, head }
  }
}
