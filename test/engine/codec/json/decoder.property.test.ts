import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, test } from 'vitest'
import * as z from 'zod'
import { json } from '../../../../engine/codec/json.ts'
import { continuations, decodeAll, RUNS } from '../support.ts'
import { blockCase, junk, render, types } from './arbitrary.ts'
import { assertSame } from './oracle.ts'

describe('the JSON decoder', () => {
  test('gives the verdict and the value of zod on JSON.parse, for any schema and any bytes, whatever it has learned', {
    timeout: 60_000 * RUNS,
  }, () => {
    const total = { learnedOrder: 0, anyOrder: 0, zod: 0, good: 0, bad: 0 }
    fc.assert(
      fc.property(blockCase, ({ schema, layouts, records, after, step }) => {
        const codec = json(schema.schema)
        const bytes = records.map((record) => render(schema, layouts, record))
        const decoded = decodeAll(codec, bytes, { after: continuations[after % continuations.length] as Uint8Array, step })
        decoded.forEach((actual, i) => {
          assertSame(schema.schema, bytes[i] as Uint8Array, actual)
          total[actual.bad === undefined ? 'good' : 'bad']++
        })
        total.learnedOrder += codec.counts.learnedOrder
        total.anyOrder += codec.counts.anyOrder
        total.zod += codec.counts.zod
      }),
      { numRuns: 1600 * RUNS },
    )
    const all = total.good + total.bad
    assert.equal(total.learnedOrder + total.anyOrder + total.zod, all)
    for (const [name, count] of Object.entries(total)) assert.ok(count > all / 20, `too few of ${name}: ${JSON.stringify(total)}`)
  })

  const schema = z.object({
    n: z.number(),
    i: z.int().min(-5).max(2e9),
    'a longer name than 16': z.string(),
    e: z.enum(['Apple', 'abcdefghijklmnopqrstuvwxyz']),
    b: z.boolean(),
    s: z.string().min(1).max(20).nullable(),
    o: z.object({ x: z.number().optional() }),
    late: z.number().nullable().optional(),
  })
  const [n, i, s, e, b, o] = (['number', 'int', 'string', 'enum', 'boolean', 'nested'] as const).map((name) =>
    fc.constantFrom(...(types[name]?.texts ?? [])),
  )
  const good = ['1', '1', '"a"', '"Apple"', 'true', '"a"', '{}', '1']
  const values = fc.tuple(
    ...[n, i, s, e, b, s, o, n].map((texts, at) =>
      fc.oneof(
        { weight: 40, arbitrary: fc.constant(good[at] as string) },
        { weight: 20, arbitrary: texts as fc.Arbitrary<string> },
        { weight: 1, arbitrary: fc.constantFrom(...junk) },
      ),
    ),
  )
  const spellings: ((v: readonly string[]) => string)[] = [
    (v) => `{"n":${v[0]},"i":${v[1]},"a longer name than 16":${v[2]},"e":${v[3]},"b":${v[4]},"s":${v[5]},"o":${v[6]},"late":${v[7]}}`,
    (v) =>
      `{"late": null, "extra": ${v[7]}, "o": ${v[6]}, "n": ${v[0]}, "i": ${v[1]}, "a longer name than 16": ${v[2]}, "e": ${v[3]}, "b": ${v[4]}, "s": ${v[5]}}`,
    (v) =>
      `{\n"x":"${'y'.repeat(40)}","a longer name than 16":${v[2]},"\\u006e":${v[0]},"z":12345678,"i":${v[1]},"b":${v[4]},"e":${v[3]},"s":${v[5]},"o":${v[6]}\n}\n`,
  ]
  const edit = fc.record({
    at: fc.nat(),
    byte: fc.oneof(fc.nat(255), fc.constantFrom(...Buffer.from('"\\{}[],: 0919eE.+-\n'))),
    kind: fc.constantFrom('none', 'none', 'none', 'none', 'set', 'insert', 'remove', 'cut'),
  })

  test('stays right for records that differ from a learned order by one value or one byte', { timeout: 60_000 * RUNS }, () => {
    const codec = json(schema)
    decodeAll(
      codec,
      spellings.flatMap((spell) => [1, 2, 3].map(() => Buffer.from(spell(good)))),
    )
    assert.equal(codec.counts.ordersLearned, spellings.length)
    const before = codec.counts.learnedOrder
    let accepted = 0
    const runs = 6000 * RUNS
    fc.assert(
      fc.property(fc.nat(2), values, edit, fc.nat(), (which, texts, { at, byte, kind }, after) => {
        const clean = Buffer.from((spellings[which] as (v: readonly string[]) => string)(texts))
        const place = at % clean.length
        const bytes =
          kind === 'none'
            ? clean
            : kind === 'cut'
              ? clean.subarray(0, place)
              : Buffer.concat([
                  clean.subarray(0, place),
                  kind === 'remove' ? Buffer.of() : Buffer.of(byte),
                  clean.subarray(kind === 'insert' ? place : place + 1),
                ])
        const [actual] = decodeAll(codec, [bytes], { after: continuations[after % continuations.length] as Uint8Array })
        assert.ok(actual !== undefined)
        assertSame(schema, bytes, actual)
        if (actual.bad === undefined) accepted++
      }),
      { numRuns: runs },
    )
    const learned = codec.counts.learnedOrder - before
    assert.ok(
      learned > runs / 6 && accepted > runs / 6 && accepted < runs * 0.9,
      `${learned} by a learned order, ${accepted} accepted of ${runs}`,
    )
  })
})
