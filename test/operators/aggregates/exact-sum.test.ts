import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addExact, copyExact, exactSum, exactValue, mergeExact, removeExact } from '../../../operators/aggregates/exact-sum.ts'

/** Every double is a whole number of 2^-1074. */
function wholeUnits(value: number): bigint {
  let whole = value
  let doubled = 0
  for (; !Number.isInteger(whole); doubled++) whole *= 2
  return BigInt(whole) << BigInt(1074 - doubled)
}

/** The nearest double by comparing with its neighbours. */
function nearest(units: bigint): number {
  const magnitude = units < 0n ? -units : units
  if (magnitude === 0n) return 0
  const bits = magnitude.toString(2)
  const drop = Math.max(0, bits.length - 53)
  let top = magnitude >> BigInt(drop)
  const rest = magnitude - (top << BigInt(drop))
  const half = drop === 0 ? 0n : 1n << BigInt(drop - 1)
  if (drop > 0 && (rest > half || (rest === half && top % 2n === 1n))) top += 1n
  const value = Number(top) * 2 ** (drop - 1074)
  return units < 0n ? -value : value
}

const anyFinite = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.double({ min: -1000, max: 1000, noNaN: true }),
  fc.integer(),
  fc.constantFrom(
    Number.MAX_VALUE,
    -Number.MAX_VALUE,
    2 ** 1023,
    -(2 ** 1023),
    2 ** 970,
    Number.MIN_VALUE,
    -Number.MIN_VALUE,
    2 ** -1022,
    1e16,
    1,
    -1,
    0.1,
    -0,
  ),
)
const values = fc.array(anyFinite, { maxLength: 30 })

function expected(list: readonly number[]): number {
  return nearest(list.reduce((sum, value) => sum + wholeUnits(value), 0n))
}

describe('an exact sum', () => {
  test('the oracle knows doubles', () => {
    fc.assert(
      fc.property(anyFinite, (value) => {
        expect(nearest(wholeUnits(value))).toBe(value + 0)
      }),
    )
  })

  test('is the nearest double to the sum of all values', () => {
    fc.assert(
      fc.property(values, (list) => {
        expect(exactValue(exactSum(...list))).toBe(expected(list))
      }),
      { numRuns: 3000 },
    )
  })

  test('is the same in any order, in parts or as a whole, with values put in and taken out again', () => {
    fc.assert(
      fc.property(values, values, fc.infiniteStream(fc.nat()), (kept, passing, draws) => {
        const order = <T>(list: readonly T[]) => list.map((value) => ({ value, at: draws.next().value })).sort((a, b) => a.at - b.at)
        const parts = [exactSum(), exactSum()]
        for (const { value, at } of order([...kept, ...passing])) addExact(parts[at % 2]!, value)
        const whole = copyExact(parts[0]!)
        const before = exactValue(parts[0]!)
        mergeExact(whole, parts[1]!, 1)
        for (const { value } of order(passing)) removeExact(whole, value)
        expect(exactValue(whole)).toBe(expected(kept))
        expect(exactValue(parts[0]!)).toBe(before)
        mergeExact(whole, parts[1]!, -1)
        mergeExact(whole, exactSum(...passing), 1)
        expect(exactValue(whole)).toBe(before)
      }),
      { numRuns: 2000 },
    )
  })

  test('does not overflow on the way', () => {
    expect(exactValue(exactSum(1e308, 1e308, -1e308))).toBe(1e308)
    expect(exactValue(exactSum(1e308, 1e308))).toBe(Number.POSITIVE_INFINITY)
    expect(exactValue(exactSum(2 ** 1023, 2 ** 1023, 1, -(2 ** 1023), -(2 ** 1023)))).toBe(1)
  })

  test('with NaN or both infinities is NaN, in any order, and a number again without them', () => {
    const { NaN: nan, POSITIVE_INFINITY: up, NEGATIVE_INFINITY: down } = Number
    const sum = exactSum(1, nan, up, down)
    expect(exactValue(sum)).toBe(nan)
    removeExact(sum, nan)
    expect(exactValue(sum)).toBe(nan)
    removeExact(sum, down)
    expect(exactValue(sum)).toBe(up)
    const other = exactSum(up, down)
    expect(exactValue(other)).toBe(nan)
    mergeExact(sum, exactSum(up), -1)
    expect(exactValue(sum)).toBe(1)
    removeExact(other, up)
    expect(exactValue(other)).toBe(down)
  })

  test('of nothing, and of zeros of either sign, is 0', () => {
    for (const sum of [exactSum(), exactSum(-0), exactSum(-0, 0), exactSum(5, -5)]) expect(exactValue(sum)).toBe(0)
  })
})
