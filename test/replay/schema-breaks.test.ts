import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { schemaBreaks } from '../../replay/schema-breaks.ts'

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

  test('what is inside of a value that may be null, or of one of several kinds', () => {
    const pair = z.object({ a: z.number(), b: z.number() })
    const half = z.object({ a: z.number() })
    expect(breaks(z.object({ n: pair.nullable() }), z.object({ n: half.nullable() }))).toEqual(['$.n.b: is gone'])
    expect(breaks(z.object({ n: pair.nullable() }), z.object({ n: pair }))).toEqual([])
    expect(breaks(z.union([pair, z.string()]), z.union([half, z.string()]))).toEqual(['$.b: is gone'])
    const [circle, square] = [
      z.object({ kind: z.literal('circle'), r: z.number() }),
      z.object({ kind: z.literal('square'), a: z.number() }),
    ]
    expect(breaks(z.discriminatedUnion('kind', [circle, square]), z.discriminatedUnion('kind', [square, circle]))).toEqual([])
    expect(breaks(z.discriminatedUnion('kind', [circle, square]), square)).toEqual([])
    expect(breaks(circle, z.discriminatedUnion('kind', [circle, square]))).toEqual(['$.kind: "square" is a new value', '$.r: is gone'])
  })

  test('values that could not be before', () => {
    const [few, more] = [z.enum(['on time', 'late']), z.enum(['on time', 'late', 'cancelled'])]
    expect(breaks(few, more)).toEqual(['$: "cancelled" is a new value'])
    expect(breaks(more, few)).toEqual([])
    expect(breaks(few, z.string())).toEqual(['$: "on time" or "late" becomes any string'])
    expect(breaks(z.union([z.literal(1), z.literal(2)]), z.literal(2))).toEqual([])
    expect(breaks(z.union([z.literal('a'), z.literal('b')]), z.enum(['a', 'b']))).toEqual([])
    expect(breaks(z.union([z.literal('a'), z.literal(1)]), z.union([z.literal('b'), z.literal(1)]))).toEqual(['$: "b" is a new value'])
    expect(breaks(z.object({ n: z.number() }), z.object({ n: z.unknown() }))).toEqual(['$.n: number becomes anything'])
    expect(breaks(z.object({ n: z.unknown() }), z.object({ n: z.number() }))).toEqual([])
  })

  test('values of records, places of tuples', () => {
    expect(breaks(z.record(z.string(), z.number()), z.record(z.string(), z.string()))).toEqual(['$.*: number becomes string'])
    expect(breaks(z.record(z.string(), z.number()), z.object({ a: z.string() }))).toEqual(['$.a: number becomes string'])
    expect(breaks(z.object({}).catchall(z.number()), z.object({ a: z.number() }).catchall(z.number()))).toEqual([])
    expect(breaks(z.tuple([z.number(), z.string()]), z.tuple([z.number(), z.number()]))).toEqual(['$[1]: string becomes number'])
    expect(breaks(z.tuple([z.number(), z.string()]), z.tuple([z.number()]))).toEqual(['$[1]: is gone'])
  })

  test('of a codec without a schema nothing is known', () => {
    expect(schemaBreaks(undefined, z.toJSONSchema(z.object(row)))).toEqual([])
  })
})
