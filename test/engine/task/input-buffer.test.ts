import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { BlockView, viewsOf } from '../../../engine/block/block-view.ts'
import { joinBlocks } from '../../../engine/log/embedded/join-blocks.ts'
import type { RunDecoder } from '../../../engine/task/decoded-run.ts'
import { inputDigest } from '../../../engine/task/digest.ts'
import { InputBuffer } from '../../../engine/task/input-buffer.ts'
import { chunkOf, placedBlock, recordsAt, slack } from './blocks.ts'

const decode: RunDecoder = (block, first, count) => ({
  block,
  first,
  firstOffset: block.baseOffset + first,
  count,
  values: Array.from({ length: count }, (_, i) => String(block.value(first + i))),
  times: new Float64Array(count),
  bad: undefined,
  taken: 0,
})

const sizes = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 8 })

describe('an input buffer', () => {
  test('gives all records once and in order, and the same digests, whether blocks were joined or not and however it is decoded', () => {
    fc.assert(
      fc.property(
        sizes,
        fc.array(fc.nat(10), { maxLength: 20 }),
        fc.array(fc.nat(10), { maxLength: 20 }),
        fc.integer({ min: 1, max: 4 }),
        (blocks, cuts, ahead, group) => {
          const plain = originals(blocks)
          const whole = takeAll(plain, cuts, [])
          const joined = takeAll(groupsOf(plain, group), cuts, ahead)
          const total = blocks.reduce((sum, size) => sum + size, 0)
          expect(whole.values).toEqual(Array.from({ length: total }, (_, i) => `${i}`))
          expect(joined).toEqual(whole)
        },
      ),
    )
  })

  test('the same when blocks are larger than what is decoded in one go', () => {
    const plain = originals([1500, 1, 900, 2100])
    const cuts = [700, 1000, 1, 1200]
    expect(takeAll(groupsOf(plain, 4), cuts, [])).toEqual(takeAll(plain, cuts, []))
  })

  test('other content under the same offsets has another digest', () => {
    const times = [1, 2, 3]
    const one = takeAll([placedBlock(recordsAt(times), 0)], [], [])
    const other = takeAll([placedBlock([...recordsAt(times.slice(0, 2)), { key: null, value: Buffer.from('x'), eventTime: 3 }], 0)], [], [])
    expect(other.digests).not.toEqual(one.digests)
  })

  test('says what the log needs for the records of a slice: their share of their blocks', () => {
    const buffer = new InputBuffer(0, decode)
    const blocks = [placedBlock(recordsAt([1, 2, 3, 4]), 0), placedBlock(recordsAt([5, 6]), 4)]
    for (const block of blocks) buffer.push(chunkOf([block], () => {}))
    buffer.decodeUpTo(6)
    const [one, two] = buffer.runs.map(({ block }) => block.length) as [number, number]
    expect(buffer.bytesBetween(0, 6)).toBe(one + two)
    expect(buffer.bytesBetween(1, 5)).toBe((one * 3) / 4 + two / 2)
    buffer.take(1)
    expect(buffer.bytesBetween(1, 2)).toBe(one / 4)
    expect(buffer.bytesBetween(6, 6)).toBe(0)
  })

  test('a chunk is released once the slice that took its last record is over, not before', () => {
    const released: number[] = []
    const buffer = new InputBuffer(0, decode)
    buffer.push(chunkOf([placedBlock(recordsAt([1, 2]), 0)], () => released.push(0)))
    buffer.push(chunkOf([placedBlock(recordsAt([3]), 2)], () => released.push(1)))
    buffer.decodeUpTo(3)
    buffer.take(2)
    expect(released).toEqual([])
    buffer.releaseTaken()
    expect(released).toEqual([0])
    buffer.releaseAll()
    expect(released).toEqual([0, 1])
    expect(buffer.empty).toBe(true)
    expect(buffer.bytes).toBe(0)
  })

  test('records below the position it was opened at are passed over', () => {
    const buffer = new InputBuffer(2, decode)
    buffer.push(chunkOf([placedBlock(recordsAt([1, 2, 3, 4]), 0)]))
    buffer.decodeUpTo(10)
    expect(buffer.takeable).toBe(2)
    expect(buffer.head()!.values).toEqual(['2', '3'])
    expect(buffer.countBelow(3)).toBe(1)
    expect(buffer.offsetAfter(1)).toBe(3)
  })

  test('a chunk of which everything was read before is given back at once', () => {
    let released = 0
    const buffer = new InputBuffer(5, decode)
    buffer.push(chunkOf([placedBlock(recordsAt([1, 2]), 0)], () => released++))
    expect(released).toBe(1)
    expect(buffer.empty).toBe(true)
  })

  test('records of many small commits that were joined are decoded in one go, and what the block lists of them is read once', () => {
    const [joined] = groupsOf(originals(Array<number>(500).fill(1)), 500) as [BlockView]
    const listed = vi.spyOn(BlockView.prototype, 'originals')
    const decoded: number[] = []
    const buffer = new InputBuffer(0, (block, first, count) => {
      decoded.push(count)
      return decode(block, first, count)
    })
    buffer.push(chunkOf([joined]))
    buffer.decodeUpTo(1)
    for (let offset = 0; offset < 500; offset++) expect(buffer.appendTimeAt(offset)).toBe(1000 + offset)
    expect(decoded).toEqual([500])
    // For what they cover and for their append times.
    expect(listed.mock.calls.length).toBeLessThanOrEqual(2)
    listed.mockRestore()
  })

  test('append times are those of the original commits', () => {
    const buffer = new InputBuffer(0, decode)
    const blocks = [placedBlock(recordsAt([1, 2]), 0, 100), placedBlock(recordsAt([3]), 2, 200)]
    buffer.push(chunkOf(groupsOf(blocks, 2)))
    expect([0, 1, 2, 3].map((offset) => buffer.appendTimeAt(offset))).toEqual([100, 100, 200, undefined])
    buffer.decodeUpTo(3)
    expect([0, 1, 2, 3].map((offset) => buffer.appendTimeAt(offset))).toEqual([100, 100, 200, undefined])
    expect(buffer.lastAppendTime).toBe(200)
  })
})

function originals(counts: readonly number[]): BlockView[] {
  let offset = 0
  return counts.map((count, b) => {
    const records = Array.from({ length: count }, (_, i) => ({ key: null, value: Buffer.from(String(offset + i)), eventTime: 0 }))
    const block = placedBlock(records, offset, 1000 + b)
    offset += count
    return block
  })
}

function groupsOf(blocks: readonly BlockView[], group: number): BlockView[] {
  const joined: BlockView[] = []
  for (let i = 0; i < blocks.length; i += group) {
    const bytes = slack(joinBlocks(blocks.slice(i, i + group)))
    joined.push(new BlockView({ ...viewsOf(bytes), blocks: [0], release() {} }, 0))
  }
  return joined
}

/** Takes everything in slices of the given sizes, then what is left; decodes further ahead than needed where said. */
function takeAll(blocks: readonly BlockView[], cuts: readonly number[], ahead: readonly number[]) {
  const buffer = new InputBuffer(0, decode)
  for (const block of blocks) buffer.push(chunkOf([block]))
  const values: unknown[] = []
  const digests: string[] = []
  const end = blocks.at(-1)!.endOffset
  for (let i = 0; buffer.position < end; i++) {
    const from = buffer.position
    const to = i < cuts.length ? Math.min(end, from + cuts[i]!) : end
    buffer.decodeUpTo(ahead[i] ?? 0)
    let count = buffer.countBelow(to)
    digests.push(inputDigest(buffer.cover(from, to)))
    while (count > 0) {
      const run = buffer.head()!
      const part = Math.min(count, run.count - run.taken)
      values.push(...run.values.slice(run.taken, run.taken + part))
      buffer.take(part)
      count -= part
    }
    buffer.releaseTaken()
  }
  return { values, digests }
}
