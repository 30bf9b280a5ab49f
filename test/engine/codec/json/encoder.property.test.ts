import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, test } from 'vitest'
import * as z from 'zod'
import { ByteSink } from '../../../../engine/block/byte-sink.ts'
import { json } from '../../../../engine/codec/json.ts'
import { codeOf, type StreamError } from '../../../../engine/errors.ts'
import { decodeAll, RUNS } from '../support.ts'
import { schemaCase, types } from './arbitrary.ts'
import { assertSame } from './oracle.ts'

const misfits: readonly unknown[] = [
  undefined,
  null,
  NaN,
  Infinity,
  -Infinity,
  -0,
  1n,
  new Date(0),
  'x',
  true,
  {},
  [],
  () => 1,
  Symbol('s'),
  new Map(),
  { toJSON: () => 1 },
  new Number(1),
  '1',
]
const pick = fc.record({ luck: fc.nat(29), at: fc.nat() })
const valueCase = fc.record({
  schema: schemaCase,
  picks: fc.array(fc.array(pick, { minLength: 6, maxLength: 6 }), { minLength: 1, maxLength: 8 }),
  extra: fc.nat(5),
})

describe('the JSON encoder', () => {
  test('gives the verdict of zod and the bytes of JSON.stringify, for any schema and any value', { timeout: 60_000 * RUNS }, () => {
    let written = 0
    let refused = 0
    fc.assert(
      fc.property(valueCase, ({ schema: { schema, fields }, picks, extra }) => {
        const codec = json(schema)
        const sink = new ByteSink(16)
        const texts: string[] = []
        for (const row of picks) {
          const value = Object.fromEntries(
            fields.flatMap(({ name, type }, i) => {
              const { luck, at } = row[i] as { luck: number; at: number }
              const all = types[type]?.values as readonly unknown[]
              return luck === 0
                ? []
                : [
                    [
                      name,
                      luck === 1 ? misfits[at % misfits.length] : luck < 5 ? undefined : luck < 25 ? all[at % 2] : all[at % all.length],
                    ],
                  ]
            }),
          )
          if (extra === 0) value.extra = 1
          const wanted = z.safeEncode(schema, value as never)
          const at = sink.at
          const before = Buffer.from(sink.buf.subarray(0, at))
          if (wanted.success) {
            codec.encode(value as never, sink)
            const text = JSON.stringify(wanted.data)
            assert.equal(sink.buf.toString('utf8', at, sink.at), text)
            texts.push(text)
            written++
          } else {
            assert.throws(
              () => codec.encode(value as never, sink),
              (error: StreamError) => {
                assert.equal(codeOf(error), 'OUTPUT_INVALID', String(error))
                assert.ok(String(error.details.message).startsWith(wanted.error.issues[0]?.message as string), String(error))
                return typeof error.details.path === 'string'
              },
            )
            assert.equal(sink.at, at)
            refused++
          }
          assert.ok(sink.buf.subarray(0, at).equals(before), 'what was written before must stay')
        }
        // and back: what was written is decoded to what zod makes of it
        decodeAll(
          codec,
          texts.map((text) => Buffer.from(text)),
        ).forEach((decoded, i) => {
          assertSame(schema, Buffer.from(texts[i] as string), decoded)
        })
      }),
      { numRuns: 1200 * RUNS },
    )
    assert.ok(written > refused / 4 && refused > written / 4, `${written} written, ${refused} refused`)
  })
})
