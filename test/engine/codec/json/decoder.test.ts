import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import * as mini from 'zod/mini'
import { json } from '../../../../engine/codec/json.ts'
import { continuations, decodeAll, decodeTexts } from '../support.ts'
import { assertSame } from './oracle.ts'

const bid = z.object({ auction: z.number(), price: z.number().nullable(), channel: z.string().optional() })

/** Every record alone, and again after a good one was learned in the same spelling; with every kind of bytes behind it. */
function expectSame(schema: z.ZodType, records: readonly (string | Uint8Array)[]): void {
  const all = records.map((record) => Buffer.from(record))
  for (const after of continuations)
    decodeAll(json(schema), all, { after }).forEach((decoded, i) => assertSame(schema, all[i] as Buffer, decoded))
  for (const record of all) {
    const codec = json(schema)
    decodeAll(codec, [record, record, record, record]).forEach((decoded) => assertSame(schema, record, decoded))
  }
}

describe('hostile and odd records', () => {
  test('numbers of every spelling', () => {
    const texts = [
      '1',
      '-1',
      '0',
      '-0',
      '-0.0',
      '1E5',
      '1e+5',
      '1e-5',
      '1e400',
      '-1e400',
      '1e-400',
      '0123',
      '00',
      '-01',
      '1.',
      '.1',
      '+1',
      '1e',
      '1e+',
      '0x1',
      'NaN',
      '12345678',
      '123456789',
      '12345678901234567890',
      '123456789012345',
      '1234567890123456',
      '9007199254740993',
      '0.1',
      '1.7976931348623157e308',
      '1.7976931348623159e308',
      '5e-324',
      '2e-324',
      '4503599627370497.5',
      `0.${'0'.repeat(30)}1`,
      `1${'0'.repeat(400)}`,
      '0.30000000000000004',
      '1e0123',
      '1 2',
      '1,',
      '1"',
      '1/',
      '1:',
      '100:',
      '1;2',
    ]
    expectSame(
      z.object({ a: z.number() }),
      texts.map((text) => `{"a":${text}}`),
    )
    expectSame(
      z.object({ a: z.number(), b: z.number() }),
      texts.map((text) => `{"b":${text},"a":${text}}`),
    )
    expectSame(
      z.object({ a: z.int() }),
      texts.map((text) => `{"a":${text}}`),
    )
    expectSame(
      z.object({ a: z.boolean().optional() }),
      texts.map((text) => `{"skipped":${text}}`),
    )
  })

  test('strings with escapes, lone surrogates, control characters and invalid UTF-8', () => {
    const insides = [
      '',
      'a',
      '\\n',
      '\\u0061',
      '\\u00e9',
      '\\ud83d\\ude00',
      '\\ud800',
      '\\udc00\\ud800',
      '\\"',
      '\\\\',
      '\\/',
      '\\x',
      '\\u12G4',
      '\\u123',
      '\\',
      'a\tb',
      'a\u0000b',
      'a\u001f',
      '\u007f',
      '\u2028',
      'é',
      '\u{1F600}',
      'exactly16_bytes_',
      'exactly17_bytes__',
      '12345678',
      `${'x'.repeat(15)}"`,
      `${'x'.repeat(100)}é`,
      `${'é'.repeat(8)}`,
    ]
    const raw = [
      [0xff],
      [0xc3],
      [0xc3, 0x28],
      [0xed, 0xa0, 0x80],
      [0xef, 0xbb, 0xbf],
      [0xf0, 0x9f, 0x98],
      [0xc0, 0x80],
      [0xf5, 0x80, 0x80, 0x80],
      [0x80],
    ].map((bytes) => Buffer.from(bytes))
    for (const schema of [
      z.object({ a: z.string() }),
      z.object({ a: z.string().max(2) }),
      z.object({ a: z.string().min(3) }),
      z.object({ b: z.string().optional() }),
      z.object({ a: z.enum(['a', 'é', '\ufffd']) }),
    ]) {
      expectSame(
        schema,
        insides.map((inside) => `{"a":"${inside}"}`),
      )
      expectSame(
        schema,
        raw.map((bytes) => Buffer.concat([Buffer.from('{"a":"x'), bytes, Buffer.from('"}')])),
      )
      expectSame(
        schema,
        raw.map((bytes) => Buffer.concat([Buffer.from('{"a":"x","k'), bytes, Buffer.from('":1}')])),
      )
    }
  })

  test('keys: repeated, escaped, missing, inherited, of the prototype, not UTF-8', () => {
    expectSame(bid, [
      '{"auction":1,"price":2,"auction":3}',
      '{"auction":"x","auction":1,"price":null}',
      '{"auction":1,"price":2,"x":1,"x":2}',
      '{"\\u0061uction":1,"price":2}',
      '{"auction":1,"\\u0061uction":2,"price":3}',
      '{"auction":1}',
      '{}',
      '[]',
      '""',
      'null',
      '1',
      '{"auction":1,"price":2,"__proto__":{"channel":"x"}}',
      '{"__proto__":{"auction":1},"price":2}',
      '{"auction":1,"price":2,"toString":1,"constructor":2}',
      '{"auction":undefined,"price":1}',
      "{'auction':1,'price':1}",
      '{auction:1,"price":1}',
      '{"auction":1 "price":1}',
      '{"auction":1,,"price":1}',
      '{"auction":1,"price":1,}',
      '{,"auction":1,"price":1}',
      '{"auction" 1,"price":1}',
      '{"Auction":1,"auction":2,"price":3}',
      '{"auction\u0000":1,"price":1}',
    ])
    for (const name of ['toString', '__proto__', 'constructor', '0', '\ufffd', '\ud800', 'a\nb', 'a"b', '', 'o', 'b', 'view', 'p', 'e']) {
      const schema = z.object(
        Object.fromEntries([
          [name, z.number().optional()],
          ['z', z.number()],
        ]),
      )
      expectSame(schema, [
        `{"z":1}`,
        `{${JSON.stringify(name)}:1,"z":2}`,
        `{"z":1,${JSON.stringify(name)}:"x"}`,
        Buffer.concat([Buffer.from('{"'), Buffer.of(0xff), Buffer.from('":5,"z":1}')]),
      ])
    }
    expectSame(z.strictObject({ a: z.number() }), ['{"a":1}', '{"a":1,"b":2}', '{"b":2,"a":1}', '{"a":1,"__proto__":2}', '{"a":1,"a":2}'])
    expectSame(z.looseObject({ a: z.number() }), ['{"a":1}', '{"b":2,"a":1}'])
    expectSame(z.object({}), ['{}', ' { } ', '{"a":1}', '{', '{}}', '[]'])
  })

  test('whitespace anywhere, a byte order mark, and bytes that are none', () => {
    const spaces = [' ', '\n', '\t', '\r', ' \r\n\t ', '\f', '\v', '\u00a0', '\ufeff', '\u0000']
    expectSame(
      bid,
      spaces.flatMap((space) => [
        `${space}{"auction":1,"price":2}`,
        `{"auction":1,"price":2}${space}`,
        `{${space}"auction"${space}:${space}1${space},${space}"price"${space}:${space}null${space}}`,
        `{"auc${space}tion":1}`,
        `{"auction":1${space}2,"price":1}`,
      ]),
    )
  })

  test('cut short at every byte, with and without more after the end', () => {
    const record = '{"auction":12345,"x":"abc\\"","nested":{"a":[1,{"b":null}]},"price":-1.5e3,"channel":"été","t":true,"f":false,"n":null}'
    const bytes = Buffer.from(record)
    const cuts = Array.from({ length: bytes.length }, (_, i) => bytes.subarray(0, i))
    const codec = json(bid)
    decodeAll(codec, [bytes, bytes, bytes])
    expect(codec.counts.learnedOrder).toBe(1)
    // what is cut off stands right behind the record
    for (const [i, cut] of cuts.entries()) {
      decodeAll(codec, [cut], { after: bytes.subarray(i, i + 16) }).forEach((decoded) => assertSame(bid, cut, decoded))
      decodeAll(codec, [cut, bytes.subarray(i), bytes]).forEach((decoded, k) =>
        assertSame(bid, [cut, bytes.subarray(i), bytes][k] as Buffer, decoded),
      )
    }
    expectSame(
      bid,
      ['}', ',', ' x', '{}', '\u0000', '"', '1'].map((more) => record + more),
    )
  })

  test('names and values longer than the 16 bytes behind a block are not read past it', () => {
    const long = 'a name that is a good deal longer than sixteen bytes'
    const schema = z.object({ [long]: z.enum(['an enum value that is longer than sixteen bytes too', 'b']), s: z.string() })
    const record = Buffer.from(`{"${long}":"an enum value that is longer than sixteen bytes too","s":"${'x'.repeat(60)}"}`)
    const codec = json(schema)
    decodeAll(codec, [record, record, record])
    for (let i = 0; i < record.length; i++) {
      const cut = record.subarray(0, i)
      decodeAll(codec, [cut], { after: record.subarray(i, i + 16) }).forEach((decoded) => assertSame(schema, cut, decoded))
    }
  })

  test('deep nesting and long records are decoded or refused, and never overflow the stack', () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000)
    expectSame(bid, [
      `{"auction":1,"price":2,"x":${deep}}`,
      `{"auction":1,"price":2,"x":${'['.repeat(100_000)}}`,
      `{"auction":1,"price":2,"x":${'{"a":'.repeat(50_000)}`,
      `{"auction":${deep},"price":1}`,
    ])
    expectSame(bid, [`{"auction":1,"price":2,"channel":"${'x'.repeat(1 << 20)}"}`])
  })
})

describe('schemas', () => {
  test('defaults, transforms, coercion, refinements, catch-alls and other classes give what zod gives', () => {
    const records = [
      '{"a":1,"b":"x"}',
      '{"a":"1"}',
      '{"a":null}',
      '{}',
      '{"a":1,"c":true}',
      '{"b":" x "}',
      '{"a":5,"b":"  "}',
      '[1]',
      '"x"',
      '1',
      'null',
      '{"a":{"b":{"a":1}}}',
      '{"a":[1,2]}',
    ]
    const node = z.object({
      get a() {
        return node.nullable().optional()
      },
      b: z.unknown(),
    })
    const schemas: z.ZodType[] = [
      z.object({ a: z.number().default(3) }),
      z.object({ a: z.coerce.number() }),
      z.object({ a: z.number().transform((n) => n + 1) }),
      z.object({ a: z.number().refine((n) => n > 2) }),
      z.object({ a: z.number() }).refine(({ a }) => a > 2),
      z.object({ a: z.number() }).catchall(z.boolean()),
      z.object({ a: z.preprocess((x) => Number(x), z.number()) }),
      z.object({ a: z.number().brand('A') }),
      z.object({ a: z.number().readonly() }).readonly(),
      z.object({ a: z.number().pipe(z.number().max(3)) }),
      z.object({ b: z.string().trim().min(1) }),
      z.object({ a: z.number().catch(9) }),
      z.object({ a: z.number().catch(undefined as never), b: z.string().optional() }),
      z.object({ a: z.coerce.boolean() }),
      z.object({ b: z.coerce.string() }),
      z.object({ b: z.string().max(0, { when: () => false } as object) }),
      z.object({ a: z.number().optional().catch(9) }),
      z.object({ a: z.any(), b: z.unknown().optional() }),
      z.object({ a: z.lazy(() => z.number()) }),
      z.object({ a: z.number().optional().default(4) }),
      z.object({ a: z.number().default(4).optional() }),
      z.object({ a: z.number().prefault(4) }),
      z.object({ a: z.number().optional().nonoptional() }),
      z.object({ a: z.exactOptional(z.number()) }),
      z.object({ a: z.undefined() }),
      z.object({ a: z.never().optional() }),
      z.object({ a: z.number().multipleOf(5) }),
      z.object({
        a: z
          .number()
          .optional()
          .refine((n) => n !== 1),
      }),
      z.object({ a: z.number().transform(() => undefined) }),
      z.object({ a: z.number().min(2, { when: () => false } as object) }),
      z.object({ a: z.enum({ One: 1, Two: 2 }) }),
      z.object({ a: z.literal(1) }),
      z.number(),
      z.array(z.number()),
      z.record(z.string(), z.number()),
      z.union([z.object({ a: z.number() }), z.string()]),
      z.discriminatedUnion('b', [z.object({ b: z.literal('x'), a: z.number() })]),
      z.tuple([z.number()]),
      z.intersection(z.object({ a: z.number() }), z.object({ b: z.string() })),
      z.any(),
      z.null(),
      node,
      z.object(Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`f${i}`, z.number().optional()]))).extend({ a: z.number() }),
      z.object(Object.fromEntries([...'abcdefg'].map((name) => [name, z.unknown().optional()]))),
      mini.object({ a: mini.number().check(mini.minimum(1)), b: mini.optional(mini.string()) }) as unknown as z.ZodType,
    ]
    for (const schema of schemas) expectSame(schema, records)
  })

  test('issues are told by their field', () => {
    const codec = json(z.object({ items: z.array(z.object({ price: z.number(), 'a b': z.number() })) }))
    const bad = decodeTexts(codec, [
      '{"items":[{"price":1,"a b":1},{"price":1,"a b":1},{"price":"x","a b":1}]}',
      '{"items":[{"price":1,"a b":"x"}]}',
      '1',
      '{"items":1',
    ]).map(({ bad }) => `${bad?.code} ${bad?.path}`)
    expect(bad).toEqual([
      'RECORD_SCHEMA_MISMATCH items[2].price',
      'RECORD_SCHEMA_MISMATCH items[0]["a b"]',
      'RECORD_SCHEMA_MISMATCH $',
      'RECORD_MALFORMED $',
    ])
  })

  test('a check that throws makes the record bad, an asynchronous one the job', () => {
    const throwing = json(
      z.object({
        a: z.number().refine((n) => {
          if (n === 2) throw new Error('two')
          return true
        }),
      }),
    )
    const decoded = decodeTexts(throwing, ['{"a":1}', '{"a":2}', '{"a":3}'])
    expect(decoded.map(({ bad }) => bad?.message)).toEqual([undefined, "the schema's own code threw: two", undefined])
    const slow = json(z.object({ a: z.number().refine(async () => true) }))
    expect(() => decodeTexts(slow, ['{"a":1}'])).toThrow(/JOB_INVALID/)
  })

  test('all tiers build objects of the same keys, in the order of the schema', () => {
    const codec = json(z.object({ c: z.number(), a: z.number().optional(), b: z.string() }))
    const decoded = decodeTexts(codec, [
      '{"b":"x","c":1}',
      '{"b":"x","a":2,"c":1}',
      '{"b":"x","c":1}',
      '{"b":"x","c":1}',
      '{"\\u0062":"x","a":2,"c":1}',
    ])
    expect(codec.counts).toMatchObject({ learnedOrder: 1, anyOrder: 3, zod: 1 })
    expect(decoded.map(({ value }) => JSON.stringify(value))).toEqual([
      '{"c":1,"b":"x"}',
      '{"c":1,"a":2,"b":"x"}',
      '{"c":1,"b":"x"}',
      '{"c":1,"b":"x"}',
      '{"c":1,"a":2,"b":"x"}',
    ])
  })
})
