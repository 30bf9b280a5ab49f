import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type ChoosableInput, chooseRanges } from '../../../engine/runtime/choose-slice.ts'

const input = (index: number, times: number[], position = 0): ChoosableInput => ({
  index,
  buffer: {
    takeable: times.length,
    position,
    runs: [{ times: Float64Array.from(times), count: times.length, taken: 0 }],
    offsetAfter: (count) => position + count,
  },
})

test('nothing to take gives no ranges and holds nobody back', () => {
  expect(chooseRanges([input(0, [])], 100, 10, Number.POSITIVE_INFINITY)).toEqual({ ranges: [], reach: Number.POSITIVE_INFINITY })
})

test('a partition far ahead waits for the slowest one', () => {
  const { ranges } = chooseRanges([input(0, [1, 2, 3]), input(1, [2, 5, 50])], 100, 10, Number.POSITIVE_INFINITY)
  expect(ranges).toEqual([
    { input: 0, from: 0, to: 3 },
    { input: 1, from: 0, to: 2 },
  ])
})

test('a partition waits for the other tasks too', () => {
  expect(chooseRanges([input(0, [5, 12, 30])], 100, 10, 5).ranges).toEqual([{ input: 0, from: 0, to: 2 }])
})

test('each input gets an equal share of the records', () => {
  const { ranges } = chooseRanges([input(0, [1, 1, 1, 1], 7), input(1, [1, 1, 1, 1])], 4, 10, Number.POSITIVE_INFINITY)
  expect(ranges).toEqual([
    { input: 0, from: 7, to: 9 },
    { input: 1, from: 0, to: 2 },
  ])
})

test('there is always something to take while any input has records and the task is the slowest', () => {
  const times = fc.array(fc.integer({ min: -100, max: 1000 }), { maxLength: 30 })
  fc.assert(
    fc.property(
      fc.array(times, { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 0, max: 50 }),
      (lists, max, drift) => {
        const inputs = lists.map((list, i) => input(i, list))
        const { ranges, reach } = chooseRanges(inputs, max, drift, Number.POSITIVE_INFINITY)
        expect(ranges.length > 0).toBe(lists.some((list) => list.length > 0))
        for (const { input: i, from, to } of ranges) {
          expect(to - from).toBeLessThanOrEqual(Math.max(1, max))
          for (const time of lists[i]!.slice(from, to)) expect(time).toBeLessThanOrEqual(reach + drift)
        }
      },
    ),
  )
})
