import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareValues } from '../../operators/value-order.ts'

const date = fc.date({ noInvalidDate: false })
const values = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<unknown>(undefined, null, true, false, 0, -0, Number.NaN, 1, Number.POSITIVE_INFINITY, '', 'a', 'b', 1n, 2n),
    fc.double(),
    fc.string(),
    date,
    fc.uint8Array({ maxLength: 3 }),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('value'), { maxKeys: 3 }),
    fc.array(fc.tuple(fc.string(), tie('value')), { maxLength: 2 }).map((entries) => new Map(entries)),
    fc.array(tie('value'), { maxLength: 2 }).map((members) => new Set(members)),
  ),
})).value

test('a value is equal to its copy, and to no other than by content', () => {
  fc.assert(fc.property(values, (value) => void expect(compareValues(value, structuredClone(value))).toBe(0)))
})

test('two values compare the same whichever comes first, and three agree', () => {
  fc.assert(
    fc.property(values, values, values, (a, b, c) => {
      expect(Math.sign(compareValues(a, b))).toBe(-Math.sign(compareValues(b, a)) + 0)
      if (compareValues(a, b) <= 0 && compareValues(b, c) <= 0) expect(compareValues(a, c)).toBeLessThanOrEqual(0)
    }),
    { numRuns: 2000 },
  )
})

test('values that differ are told apart', () => {
  const different: unknown[] = [
    undefined, null, false, true, Number.NEGATIVE_INFINITY, -1, -0, 0, 1, Number.NaN, 1n, '', '1', 'a', new Date(0), new Date(1), new Date(Number.NaN),
    new Uint8Array(), new Uint8Array([0]), [], [undefined], [1], [1, 2], new Map(), new Map([['a', 1]]), new Map([['a', 2]]), new Set(), new Set([1]), {},
    { a: undefined }, { a: 1 }, { a: 2 }, { b: 1 },
  ] // biome-ignore format: a table
  for (const [i, a] of different.entries())
    for (const [j, b] of different.entries()) expect(compareValues(a, b) === 0, `${i} and ${j}`).toBe(i === j)
  expect(compareValues({ a: 1, b: 2 }, { b: 2, a: 1 })).toBe(0)
})
