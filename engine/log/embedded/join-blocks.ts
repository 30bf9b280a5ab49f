import { assert } from '../../assert.ts'
import { type BlockView, stampBlock, viewsOf } from '../../block/block-view.ts'
import { checksum } from '../../block/checksum.ts'
import { flagHeaders, flagNulls, headBytes, magic, originalBytes, pad8 } from '../../block/layout.ts'

/**
 * One block with the records of several, which follow one another without a gap. It lists the counts, checksums and append times of
 * their originals: what is chained from those survives. Its own append time is that of its last record.
 * @param room where it is made, of so many bytes, at a multiple of 8 of its buffer.
 */
export function joinBlocks(blocks: readonly BlockView[], room: (bytes: number) => Buffer = Buffer.alloc): Buffer {
  const originals = sum(blocks, ({ originalCount }) => originalCount || 1)
  const count = sum(blocks, (block) => block.count)
  const keyBytes = sum(blocks, keyBytesOf)
  const valueBytes = sum(blocks, valueBytesOf)
  const headerBytes = sum(blocks, headerBytesOf)
  const flags = blocks.reduce((all, block) => all | block.flags, 0)
  const columns = count * (16 + (flags & flagHeaders ? 4 : 0) + (flags & flagNulls ? 1 : 0))
  const length = pad8(headBytes + originals * originalBytes + columns + keyBytes + valueBytes + headerBytes)
  const out = room(length)
  const { u32, f64 } = viewsOf(out)
  out.fill(0, 0, headBytes)
  u32[0] = length
  u32[2] = magic
  u32[3] = count
  u32[9] = flags
  u32[10] = keyBytes
  u32[11] = valueBytes
  u32[12] = headerBytes
  u32[13] = originals
  let p = headBytes
  for (const block of blocks) {
    for (const original of block.originalCount === 0 ? [block] : block.originals()) {
      u32[p >> 2] = original.count
      u32[(p >> 2) + 1] = original.contentChecksum
      f64[(p >> 3) + 1] = original.appendTime
      p += originalBytes
    }
  }
  for (const block of blocks) p = copy(block, block.timesAt * 8, block.count * 8, out, p)
  p = writeEnds(u32, p, blocks, (block) => block.keyEndsAt, keyBytesOf)
  p = writeEnds(u32, p, blocks, (block) => block.valueEndsAt, valueBytesOf)
  if (flags & flagHeaders) p = writeEnds(u32, p, blocks, headerEndsOf, headerBytesOf)
  if (flags & flagNulls) for (const block of blocks) p = copyNulls(block, out, p)
  for (const block of blocks) p = copy(block, block.keysAt, keyBytesOf(block), out, p)
  for (const block of blocks) p = copy(block, block.valuesAt, valueBytesOf(block), out, p)
  for (const block of blocks) p = copy(block, block.valuesAt + valueBytesOf(block), headerBytesOf(block), out, p)
  assert(pad8(p) === length, () => `a joined block of ${p} bytes was to have ${length}`)
  out.fill(0, p, length)
  u32[8] = checksum(out, headBytes, length)
  stampBlock(out, 0, blocks[0]!.baseOffset, blocks.at(-1)!.appendTime)
  return out
}

const word = (block: BlockView, at: number): number => block.chunk.u32[(block.at + at) >> 2]!
const keyBytesOf = (block: BlockView): number => word(block, 40)
const valueBytesOf = (block: BlockView): number => word(block, 44)
const headerBytesOf = (block: BlockView): number => word(block, 48)

/** Index of the first end in the words of the chunk; undefined when the block has no such column. */
const headerEndsOf = (block: BlockView): number | undefined => (block.flags & flagHeaders ? block.valueEndsAt + block.count : undefined)

/** A view costs more than to copy so few bytes one by one. */
const fewBytes = 64

/** @returns where it ends. */
function copy({ chunk: { bytes } }: BlockView, from: number, count: number, out: Buffer, at: number): number {
  if (count > fewBytes) out.set(bytes.subarray(from, from + count), at)
  else for (let i = 0; i < count; i++) out[at + i] = bytes[from + i]!
  return at + count
}

/** One byte for each record, all 0 when the block has no column of them. */
function copyNulls(block: BlockView, out: Buffer, at: number): number {
  const ends = block.flags & flagHeaders ? 2 : 1
  if (block.flags & flagNulls) return copy(block, (block.valueEndsAt + ends * block.count) * 4, block.count, out, at)
  out.fill(0, at, at + block.count)
  return at + block.count
}

/** Ends count from where the column's bytes begin: those of later blocks move up. No column: nothing, at the place reached so far. */
function writeEnds(
  out: Uint32Array,
  at: number,
  blocks: readonly BlockView[],
  endsOf: (block: BlockView) => number | undefined,
  bytesOf: (block: BlockView) => number,
): number {
  let w = at >> 2
  let before = 0
  for (const block of blocks) {
    const { u32 } = block.chunk
    const ends = endsOf(block)
    for (let i = 0; i < block.count; i++) out[w++] = ends === undefined ? before : before + u32[ends + i]!
    before += bytesOf(block)
  }
  return w * 4
}

function sum(blocks: readonly BlockView[], bytesOf: (block: BlockView) => number): number {
  let total = 0
  for (const block of blocks) total += bytesOf(block)
  return total
}
