import { expect, test } from 'vitest'
import { limitText, rateOf } from '../../../deploy/cli/rate-flag.ts'

test.each([
  ['500', { recordsPerSecond: 500 }],
  ['20k', { recordsPerSecond: 20_000 }],
  ['1.5M', { recordsPerSecond: 1_500_000 }],
  ['0', { recordsPerSecond: 0 }],
  ['20k/s', { recordsPerSecond: 20_000 }],
  ['800B', { bytesPerSecond: 800 }],
  ['500kB', { bytesPerSecond: 500_000 }],
  ['2.5MB/s', { bytesPerSecond: 2_500_000 }],
  ['1GB', { bytesPerSecond: 1e9 }],
  ['0B', { bytesPerSecond: 0 }],
  ['max', { recordsPerSecond: null, bytesPerSecond: null }],
])('%s is read as a rate', (text, limits) => {
  expect(rateOf(text)).toEqual(limits)
})

test.each(['', 'fast', '-1', '10 MB', '10mb', '1.M', 'k', '1e3', '10MBps'])('"%s" is no rate', (text) => {
  expect(() => rateOf(text)).toThrow('USAGE')
})

test.each([
  [null, null, 'takes as many as it can'],
  [20_000, null, 'takes at most 20000 records/s'],
  [null, 999, 'takes at most 999 B/s'],
  [500, 2_500_000, 'takes at most 500 records/s and 2.5 MB/s'],
  [null, 1e9, 'takes at most 1 GB/s'],
])('limits of %s records and %s bytes are told in words', (recordsPerSecond, bytesPerSecond, text) => {
  expect(limitText({ recordsPerSecond, bytesPerSecond })).toBe(text)
})
