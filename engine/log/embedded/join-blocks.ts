import { assert } from '../../assert.ts'
import { type BlockView, stampBlock } from '../../block/block-view.ts'
import { checksum } from '../../block/checksum.ts'
import { flagHeaders, flagNulls, headBytes, magic, originalBytes, pad8 } from '../../block/layout.ts'

/**
 * One block with the records of several, which follow one another without a gap. It lists the counts, checksums and append times of
 * their originals: what is chained from those survives. Its own append time is that of its last record.
 */
export function joinBlocks(blocks: readonly BlockView[]): Buffer {
  const first = blocks[0]!
  const originals = blocks.flatMap((block) => block.originals())
  const count = sum(blocks, (block) => block.count)
  const keyBytes = sum(blocks, keyBytesOf)
  const valueBytes = sum(blocks, valueBytesOf)
  const headerBytes = sum(blocks, headerBytesOf)
  const flags = blocks.reduce((all, block) => all | block.flags, 0)
  const columns = count * (16 + (flags & flagHeaders ? 4 : 0) + (flags & flagNulls ? 1 : 0))
  const length = pad8(headBytes + originals.length * originalBytes + columns + keyBytes + valueBytes + headerBytes)
  const out = Buffer.alloc(length)
  out.writeUInt32LE(length, 0)
  out.writeUInt32LE(magic, 8)
  out.writeUInt32LE(count, 12)
  out.writeUInt32LE(flags, 36)
  out.writeUInt32LE(keyBytes, 40)
  out.writeUInt32LE(valueBytes, 44)
  out.writeUInt32LE(headerBytes, 48)
  out.writeUInt32LE(originals.length, 52)
  let p = headBytes
  for (const original of originals) {
    out.writeUInt32LE(original.count, p)
    out.writeUInt32LE(original.contentChecksum, p + 4)
    out.writeDoubleLE(original.appendTime, p + 8)
    p += originalBytes
  }
  p = copyEach(out, p, blocks, timesOf)
  p = writeEnds(out, p, blocks, keyEndsOf, keyBytesOf)
  p = writeEnds(out, p, blocks, valueEndsOf, valueBytesOf)
  if (flags & flagHeaders) p = writeEnds(out, p, blocks, headerEndsOf, headerBytesOf)
  if (flags & flagNulls) p = copyEach(out, p, blocks, nullsOf)
  p = copyEach(out, p, blocks, (block) => part(block, block.keysAt, keyBytesOf(block)))
  p = copyEach(out, p, blocks, (block) => part(block, block.valuesAt, valueBytesOf(block)))
  p = copyEach(out, p, blocks, (block) => part(block, block.valuesAt + valueBytesOf(block), headerBytesOf(block)))
  assert(pad8(p) === length, () => `a joined block of ${p} bytes was to have ${length}`)
  out.writeUInt32LE(checksum(out, headBytes, length), 32)
  stampBlock(out, 0, first.baseOffset, originals.at(-1)!.appendTime)
  return out
}

const word = (block: BlockView, at: number): number => block.chunk.u32[(block.at + at) >> 2]!
const keyBytesOf = (block: BlockView): number => word(block, 40)
const valueBytesOf = (block: BlockView): number => word(block, 44)
const headerBytesOf = (block: BlockView): number => word(block, 48)

const part = (block: BlockView, at: number, bytes: number): Uint8Array => block.chunk.bytes.subarray(at, at + bytes)
const timesOf = (block: BlockView): Uint8Array => part(block, block.timesAt * 8, block.count * 8)

const words = (block: BlockView, at: number): Uint32Array => block.chunk.u32.subarray(at, at + block.count)
const keyEndsOf = (block: BlockView): Uint32Array => words(block, block.keyEndsAt)
const valueEndsOf = (block: BlockView): Uint32Array => words(block, block.valueEndsAt)
const headerEndsOf = (block: BlockView): Uint32Array | undefined =>
  block.flags & flagHeaders ? words(block, block.valueEndsAt + block.count) : undefined

/** One byte for each record, all 0 when the block has no column of them. */
function nullsOf(block: BlockView): Uint8Array {
  if (!(block.flags & flagNulls)) return new Uint8Array(block.count)
  const ends = block.flags & flagHeaders ? 2 : 1
  return part(block, (block.valueEndsAt + ends * block.count) * 4, block.count)
}

function copyEach(out: Buffer, at: number, blocks: readonly BlockView[], bytesOf: (block: BlockView) => Uint8Array): number {
  let p = at
  for (const block of blocks) {
    const bytes = bytesOf(block)
    out.set(bytes, p)
    p += bytes.length
  }
  return p
}

/** Ends count from where the column's bytes begin: those of later blocks move up. No column: nothing, at the place reached so far. */
function writeEnds(
  out: Buffer,
  at: number,
  blocks: readonly BlockView[],
  endsOf: (block: BlockView) => Uint32Array | undefined,
  bytesOf: (block: BlockView) => number,
): number {
  let p = at
  let before = 0
  for (const block of blocks) {
    const ends = endsOf(block)
    for (let i = 0; i < block.count; i++, p += 4) out.writeUInt32LE(before + (ends ? ends[i]! : 0), p)
    before += bytesOf(block)
  }
  return p
}

function sum(blocks: readonly BlockView[], bytesOf: (block: BlockView) => number): number {
  return blocks.reduce((total, block) => total + bytesOf(block), 0)
}
