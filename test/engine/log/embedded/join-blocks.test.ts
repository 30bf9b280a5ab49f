import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BlockBuilder } from '../../../../engine/block/block-builder.ts'
import { BlockView, blockFault, stampBlock, viewsOf } from '../../../../engine/block/block-view.ts'
import { joinBlocks } from '../../../../engine/log/embedded/join-blocks.ts'
import type { NewRecord } from '../../../../engine/model/record.ts'

const bytes = fc.oneof(
  { weight: 3, arbitrary: fc.uint8Array({ maxLength: 20 }) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
)
const record: fc.Arbitrary<NewRecord> = fc.record({
  key: fc.option(bytes),
  value: fc.option(bytes),
  eventTime: fc.double({ noNaN: true, noDefaultInfinity: true }),
  headers: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(fc.record({ name: fc.string(), value: bytes }), { maxLength: 3 }) },
  ),
})
const blocks = fc.array(fc.array(record, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 6 })

function viewOf(block: Uint8Array): BlockView {
  const room = Buffer.alloc(block.length + 16)
  room.set(block)
  return new BlockView({ ...viewsOf(room), blocks: [0], release() {} }, 0)
}

function built(records: readonly NewRecord[], baseOffset: number, appendTime: number): BlockView {
  const builder = new BlockBuilder()
  for (const one of records) builder.add(one)
  const block = Buffer.from(builder.finish())
  stampBlock(block, 0, baseOffset, appendTime)
  return viewOf(block)
}

const recordsOf = (view: BlockView) => Array.from({ length: view.count }, (_, i) => view.record(i))

test('a joined block has all records as they were, and lists what it was joined from; joining in steps gives the same', () => {
  fc.assert(
    fc.property(blocks, fc.nat(5), (content, split) => {
      let offset = 1000
      const views = content.map((records, i) => {
        const view = built(records, offset, 5000 + i)
        offset += records.length
        return view
      })
      const joined = joinBlocks(views)
      expect(blockFault(joined, 0, joined.length)).toBeUndefined()
      const view = viewOf(joined)
      expect(recordsOf(view)).toEqual(views.flatMap(recordsOf))
      expect(view.originals()).toEqual(views.flatMap((one) => one.originals()))
      expect([view.baseOffset, view.endOffset, view.appendTime]).toEqual([1000, offset, 5000 + content.length - 1])
      const first = views.slice(0, split)
      const rest = views.slice(split)
      const parts = [first, rest].filter((part) => part.length > 0).map((part) => viewOf(joinBlocks(part)))
      expect(joinBlocks(parts, (length) => Buffer.alloc(length, 0xff)).equals(joined)).toBe(true)
    }),
  )
})
