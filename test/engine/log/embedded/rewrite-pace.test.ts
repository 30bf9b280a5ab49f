import { expect, test } from 'vitest'
import { partOfTime } from '../../../../engine/log/embedded/rewrite-plan.ts'

test('while commits come a rewrite takes the more of the time the more waits, and all of it before commits have to wait', () => {
  const parts = [0, 0.25, 0.3, 0.5, 0.75, 1].map((waiting) => partOfTime(waiting * 1024, 1024))
  expect(parts.slice(0, 2)).toEqual([0.1, 0.1])
  expect(parts[2]).toBeCloseTo(0.19)
  expect(parts[3]).toBeCloseTo(0.55)
  expect(parts.slice(4)).toEqual([1, 1])
})
