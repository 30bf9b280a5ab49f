import fc from 'fast-check'
import { expect, test } from 'vitest'
import { durationMs, durationText } from '../../operators/duration.ts'

test('durations are milliseconds or numbers with a unit', () => {
  const texts = ['500ms', '10s', '5m', '2h', '1d', '1.5h', '0.1s', '0.3s', '3650d']
  expect(texts.map((text) => durationMs(text, 'size'))).toEqual([
    500, 10_000, 300_000, 7_200_000, 86_400_000, 5_400_000, 100, 300, 315_360_000_000,
  ])
  expect(durationMs(250, 'size')).toBe(250)
  expect(durationMs(0, 'wait', 0)).toBe(0)
})

test('anything else is refused by the name of the setting, with a way out', () => {
  for (const wrong of [
    '',
    '10',
    's',
    '10 s',
    '-1s',
    '1w',
    '10S',
    '0.5ms',
    '1e3s',
    '0s',
    0,
    -5,
    1.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    null,
    undefined,
    {},
  ]) {
    expect(() => durationMs(wrong as string, 'gap of a session window')).toThrow(/JOB_INVALID.*gap of a session window/)
  }
  expect(() => durationMs('10', 'size')).toThrow(expect.objectContaining({ fix: expect.stringContaining("'10s'") }))
})

test('the text of a duration reads back as the same', () => {
  fc.assert(
    fc.property(fc.nat(), (ms) => {
      expect(durationMs(durationText(ms), 'size', 0)).toBe(ms)
    }),
  )
  expect([1, 1500, 60_000, 5_400_000, 86_400_000, 0].map(durationText)).toEqual(['1ms', '1500ms', '1m', '90m', '1d', '0ms'])
})
