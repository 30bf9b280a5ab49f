import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BlockBuilder } from '../../../../engine/block/block-builder.ts'
import { bodyOffset, frameKind, readDetail, readEnds, readEntries } from '../../../../engine/log/embedded/frame.ts'
import { checkFrame } from '../../../../engine/log/embedded/frame-fault.ts'
import { FrameWriter } from '../../../../engine/log/embedded/frame-writer.ts'

function blockOf(values: readonly string[]): Uint8Array {
  const builder = new BlockBuilder()
  for (const value of values) builder.add({ key: null, value: Buffer.from(value), eventTime: 1 })
  return builder.finish()
}

const content = fc.record({
  blocks: fc.array(
    fc.record({
      topic: fc.nat(2 ** 32 - 1),
      partition: fc.nat(1000),
      baseOffset: fc.maxSafeNat(),
      values: fc.array(fc.string(), { minLength: 1, maxLength: 5 }),
    }),
    { maxLength: 6 },
  ),
  ends: fc.array(fc.record({ producer: fc.nat(2 ** 32 - 1), seq: fc.maxSafeNat(), hash: fc.string({ unit: 'binary', maxLength: 40 }) }), {
    maxLength: 5,
  }),
  detail: fc.option(fc.jsonValue(), { nil: undefined }),
})

test('a frame gives back what was written into it', () => {
  const writer = new FrameWriter()
  fc.assert(
    fc.property(content, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.nat(1e6), ({ blocks, ends, detail }, logId, at) => {
      const place = { logId, file: 7, position: at * 8 }
      const placed = blocks.map(({ values, ...one }) => ({ ...one, appendTime: 42, count: values.length, block: blockOf(values) }))
      const encoded = writer.encode(place, {
        kind: frameKind.commit,
        commitNumber: 2 ** 50,
        appendTime: 42,
        blocks: placed,
        ends: ends.map((end) => ({ ...end, hash: Buffer.from(end.hash).toString() })),
        ...(detail === undefined ? {} : { detail: Buffer.from(JSON.stringify(detail)) }),
      })
      const file = Buffer.concat([Buffer.alloc(place.position), encoded.bytes])
      const frame = checkFrame(file, place, file.length)
      if ('reason' in frame) throw new Error(frame.reason)
      expect(frame).toEqual(encoded.head)
      expect([frame.commitNumber, frame.appendTime, frame.length]).toEqual([2 ** 50, 42, encoded.bytes.length])
      let position = place.position + bodyOffset(frame)
      for (const [i, entry] of readEntries(file, place.position, frame).entries()) {
        const { block, ...rest } = placed[i]!
        expect(entry).toMatchObject({ ...rest, length: block.length, position })
        position += block.length
      }
      expect(position).toBe(file.length)
      expect(readEnds(file, place.position, frame)).toEqual(ends.map((end) => ({ ...end, hash: Buffer.from(end.hash).toString() })))
      if (detail !== undefined) expect(readDetail(file, place.position, frame)).toEqual(JSON.parse(JSON.stringify(detail)))
    }),
    { numRuns: 200 },
  )
})

test('the block that was appended is not changed', () => {
  const block = blockOf(['a', 'b'])
  const before = Buffer.from(block)
  const place = { logId: 1n, file: 1, position: 0 }
  const placed = { topic: 1, partition: 0, baseOffset: 9, appendTime: 9, count: 2, block }
  new FrameWriter().encode(place, { kind: frameKind.commit, commitNumber: 1, appendTime: 9, blocks: [placed] })
  expect(Buffer.from(block)).toEqual(before)
})
