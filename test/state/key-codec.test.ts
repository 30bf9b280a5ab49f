import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ByteSink } from '../../engine/block/byte-sink.ts'
import { compareKeys, type Key } from '../../engine/model/record.ts'
import { KeyReader, writeKeyBytes } from '../../state/key-codec.ts'
import { sortKeys } from '../../state/sort-keys.ts'
import { anyKey } from './support/arbitrary.ts'

function bytesOf(...keys: Key[]): Buffer {
  const out = new ByteSink(1)
  for (const key of keys) writeKeyBytes(key, out)
  return Buffer.from(out.buf.subarray(0, out.at))
}

test('keys come back from their bytes, one after the other', () => {
  fc.assert(
    fc.property(fc.array(anyKey), (keys) => {
      const reader = new KeyReader()
      reader.bytes = bytesOf(...keys)
      expect(keys.map(() => reader.key())).toEqual(keys)
      expect(reader.at).toBe(reader.bytes.length)
    }),
  )
})

test('bytes of keys have the order of the keys, also for pairs', () => {
  fc.assert(
    fc.property(anyKey, anyKey, anyKey, anyKey, (a, b, c, d) => {
      const order = compareKeys(a, c) || compareKeys(b, d)
      expect(Math.sign(Buffer.compare(bytesOf(a, b), bytesOf(c, d)))).toBe(order)
    }),
    { numRuns: 2000 },
  )
})

test('sorted keys are in canonical order', () => {
  fc.assert(
    fc.property(fc.array(anyKey), (keys) => {
      expect(sortKeys([...keys])).toEqual([...keys].sort(compareKeys))
    }),
  )
})
