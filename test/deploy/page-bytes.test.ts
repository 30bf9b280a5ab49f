import { expect, test } from 'vitest'
import { bytesOf, PageBytes } from '../../deploy/page-bytes.ts'

test('a page holds what its bytes allow, and one record whatever its size', () => {
  const page = new PageBytes(100)
  expect([60, 40, 1].map((bytes) => page.take(bytes))).toEqual([true, true, false])
  const large = new PageBytes(100)
  expect([1000, 1].map((bytes) => large.take(bytes))).toEqual([true, false])
})

test('key, value and headers count', () => {
  const bytes = (count: number) => Buffer.alloc(count)
  expect(bytesOf({ key: bytes(1), value: bytes(10), headers: [{ name: 'ab', value: bytes(100) }] })).toBe(113)
  expect(bytesOf({ key: null, value: null })).toBe(0)
})
