import { expect, test } from 'vitest'
import { govern } from '../../replay/governor.ts'

const calm = (taken: number) => ({ ownerWaitsMs: 0, taken })
const pressed = (taken: number) => ({ ownerWaitsMs: 1500, taken })

test('nobody is held back while nothing waits for the version that publishes', () => {
  expect(govern(null, calm(50_000))).toBe(null)
  expect(govern(null, { ownerWaitsMs: 1000, taken: 50_000 })).toBe(null)
})

test('each look that finds it pressed halves what the others may take, down to a trickle', () => {
  expect(govern(null, pressed(50_000))).toBe(25_000)
  expect(govern(25_000, pressed(50_000))).toBe(12_500)
  expect(govern(1500, pressed(50_000))).toBe(1000)
  expect(govern(null, { ownerWaitsMs: 5000, taken: undefined })).toBe(1000)
})

test('afterwards they may take more and more, until the limit makes no difference', () => {
  let limit: number | null = 1000
  let looks = 0
  // It can take 30,000 a second: as much as it may below that.
  while (limit !== null) {
    limit = govern(limit, calm(Math.min(limit, 30_000)))
    expect(limit === null || limit > 1000).toBe(true)
    if (looks++ > 100) throw new Error('it stays limited for ever')
  }
  expect(looks).toBeGreaterThan(4)
})
