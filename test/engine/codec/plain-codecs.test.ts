import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ByteSink } from '../../../engine/block/byte-sink.ts'
import { bytes, string } from '../../../engine/codec/codecs.ts'
import { decodeAll, RUNS } from './support.ts'

test('strings come back as they were written', { timeout: 60_000 * RUNS }, () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' }), { minLength: 1 }), fc.integer({ min: 1, max: 5 }), (texts, step) => {
      const sink = new ByteSink(4)
      const records = texts.map((text) => {
        const at = sink.at
        string().encode(text, sink)
        return Buffer.from(sink.buf.subarray(at, sink.at))
      })
      expect(decodeAll(string(), records, { step }).map(({ value }) => value)).toEqual(texts)
    }),
    { numRuns: 300 * RUNS },
  )
})

test('bytes that are not UTF-8 are malformed, a replacement character that was meant is not', () => {
  const decoded = decodeAll(string(), [
    Buffer.from('a\ufffd'),
    Buffer.of(0x61, 0xff),
    Buffer.of(0xed, 0xa0, 0x80),
    Buffer.of(),
    Buffer.from('\ufeffé'),
  ])
  expect(decoded.map(({ value, bad }) => bad?.code ?? value)).toEqual(['a\ufffd', 'RECORD_MALFORMED', 'RECORD_MALFORMED', '', '\ufeffé'])
})

test('what has no UTF-8 or is no string is refused', () => {
  const sink = new ByteSink()
  for (const value of ['a\ud800', 1, null, undefined]) expect(() => string().encode(value as string, sink)).toThrow(/OUTPUT_INVALID/)
  for (const value of ['a', [1], null]) expect(() => bytes().encode(value as unknown as Uint8Array, sink)).toThrow(/OUTPUT_INVALID/)
  expect(sink.at).toBe(0)
})

test('byte records are copies of their own', () => {
  const records = [Buffer.of(1, 2, 3), Buffer.of(), Buffer.of(0xff)]
  const decoded = decodeAll(bytes(), records, { step: 2 }).map(({ value }) => value as Uint8Array)
  expect(decoded.map((value) => [...value])).toEqual([[1, 2, 3], [], [255]])
  expect(decoded[0]?.buffer.byteLength).toBe(3)
  const sink = new ByteSink(1)
  for (const value of decoded) bytes().encode(value, sink)
  expect([...sink.buf.subarray(0, sink.at)]).toEqual([1, 2, 3, 255])
})
