import { expect, test } from 'vitest'
import { type GovernorLook, govern } from '../../replay/governor.ts'

const calm: GovernorLook = { latencyMs: 10, usualMs: 5, waitsMs: 0, taken: undefined, ownerTakes: undefined }

/** Looks of a version that could take so much, at one that is held up above a rate. @returns the limit after each look. */
function limitsOf(looks: number, could: number, heldUpAbove: number, usualMs = 5): number[] {
  const limits: number[] = []
  let limit: number | null = null
  for (let i = 0; i < looks; i++) {
    const taken: number = Math.min(limit ?? could, could)
    limit = govern(limit, { latencyMs: taken > heldUpAbove ? 500 : usualMs, usualMs, waitsMs: 0, taken, ownerTakes: undefined })
    limits.push(limit!)
  }
  return limits
}

test('nobody is held back while nothing goes through the version that publishes', () => {
  expect(govern(null, { latencyMs: undefined, usualMs: undefined, waitsMs: 0, taken: 50_000, ownerTakes: 0 })).toBe(null)
  expect(govern(1000, { latencyMs: undefined, usualMs: undefined, waitsMs: 0, taken: 1000, ownerTakes: 0 })).toBe(null)
})

test('the limit comes to lie about where the other is no longer held up', () => {
  const limits = limitsOf(300, 500_000, 120_000).slice(100)
  expect(Math.max(...limits)).toBeLessThan(120_000 * 1.16)
  expect(Math.min(...limits)).toBeGreaterThan(120_000 * 0.69)
})

test('and rises until it makes no difference where that one is not', () => {
  expect(limitsOf(300, 400_000, Number.POSITIVE_INFINITY).at(-1)).toBeCloseTo(800_000)
  expect(limitsOf(300, 50, Number.POSITIVE_INFINITY).at(-1)).toBe(100_000)
})

test('a trickle is left, however hard that one is pressed', () => {
  expect(limitsOf(100, 500_000, 0).at(-1)).toBe(1000)
  expect(govern(null, { ...calm, latencyMs: 500 })).toBe(14_000)
})

test('one that follows may always be faster than the one it follows', () => {
  let limit: number | null = null
  for (let i = 0; i < 100; i++) limit = govern(limit, { latencyMs: 500, usualMs: 5, waitsMs: 0, taken: 2000, ownerTakes: 2000 })
  expect(limit).toBe(8000)
})

test('held up is what takes longer than is felt, and longer than usual', () => {
  const next = (look: Partial<GovernorLook>) => govern(10_000, { ...calm, taken: 10_000, ...look })!
  expect(next({ latencyMs: 25 })).toBeGreaterThan(10_000)
  expect(next({ latencyMs: 26 })).toBeLessThan(10_000)
  expect(next({ latencyMs: 140, usualMs: 100 })).toBeGreaterThan(10_000)
  expect(next({ latencyMs: 160, usualMs: 100 })).toBeLessThan(10_000)
})

test('records that wait for more than a second hold the others back, however long they usually take', () => {
  expect(govern(10_000, { latencyMs: 5000, usualMs: 5000, waitsMs: 1001, taken: 10_000, ownerTakes: 50_000 })).toBe(7000)
  expect(govern(10_000, { latencyMs: undefined, usualMs: undefined, waitsMs: 1001, taken: 10_000, ownerTakes: 0 })).toBe(7000)
})
