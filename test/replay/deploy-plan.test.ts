import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { changesOf, schemaBreaks } from '../../replay/deploy-plan.ts'

const breaks = (before: z.ZodType, after: z.ZodType) => schemaBreaks(z.toJSONSchema(before), z.toJSONSchema(after))
const row = { airport: z.string(), day: z.number(), worst: z.number() }

describe('what readers of an output would stumble over', () => {
  test('new fields, also in lists and objects, are no harm', () => {
    expect(breaks(z.object(row), z.object({ ...row, best: z.number() }))).toEqual([])
    expect(breaks(z.object({ rows: z.array(z.object(row)) }), z.object({ rows: z.array(z.object({ ...row, more: z.string() })) }))).toEqual(
      [],
    )
  })

  test('a field that is gone, of another type, or not always there', () => {
    expect(breaks(z.object(row), z.object({ airport: z.string(), day: z.string(), worst: z.number().optional() }))).toEqual([
      '$.day: number becomes string',
      '$.worst: is not always there any more',
    ])
    expect(breaks(z.object(row), z.object({ airport: z.string(), day: z.number() }))).toEqual(['$.worst: is gone'])
  })

  test('null where there was none', () => {
    expect(breaks(z.object(row), z.object({ ...row, worst: z.number().nullable() }))).toEqual(['$.worst: number becomes number or null'])
    expect(breaks(z.object({ ...row, worst: z.number().nullable() }), z.object(row))).toEqual([])
  })

  test('whole numbers where there were numbers are fine, the other way they are not', () => {
    expect(breaks(z.object({ n: z.number() }), z.object({ n: z.int() }))).toEqual([])
    expect(breaks(z.object({ n: z.int() }), z.object({ n: z.number() }))).toEqual(['$.n: integer becomes number'])
  })

  test('of a codec without a schema nothing is known', () => {
    expect(schemaBreaks(undefined, z.toJSONSchema(z.object(row)))).toEqual([])
  })
})

test('a plan names what is new, changed, the same and gone', () => {
  const part = (name: string, text: string) => ({ what: 'operator' as const, name, text, detail: text })
  expect(changesOf([part('a', '1'), part('b', '1'), part('c', '1')], [part('a', '1'), part('b', '2'), part('d', '1')])).toEqual([
    { change: 'same', what: 'operator', name: 'a', detail: '1' },
    { change: 'changed', what: 'operator', name: 'b', detail: '1 → 2' },
    { change: 'added', what: 'operator', name: 'd', detail: '1' },
    { change: 'removed', what: 'operator', name: 'c', detail: '1' },
  ])
})
