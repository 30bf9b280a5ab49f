import fc from 'fast-check'
import { expect, test } from 'vitest'
import { murmur2, partitionOf } from '../../../engine/log/partitioner.ts'

// What Kafka's own tests of its hash have.
test.each([
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
])('the hash of %s is the one Kafka gives', (key, hash) => {
  expect(murmur2(Buffer.from(key), 0, key.length)).toBe(hash)
})

test('only the bytes of the range count, wherever they stand', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 40 }),
      fc.uint8Array({ maxLength: 9 }),
      fc.uint8Array({ maxLength: 9 }),
      (key, before, behind) => {
        const bytes = Buffer.concat([before, key, behind])
        expect(murmur2(bytes, before.length, before.length + key.length)).toBe(murmur2(key, 0, key.length))
      },
    ),
  )
})

test('a partition is a whole number below their count, for negative hashes too', () => {
  const foobar = Buffer.from('foobar')
  expect(partitionOf(foobar, 0, 6, 10)).toBe((-790332482 & 0x7fffffff) % 10)
  expect(partitionOf(foobar, 0, 6, 1)).toBe(0)
  const used = new Set(Array.from({ length: 200 }, (_, i) => partitionOf(Buffer.from(`key-${i}`), 0, `key-${i}`.length, 7)))
  expect([...used].sort()).toEqual([0, 1, 2, 3, 4, 5, 6])
})
