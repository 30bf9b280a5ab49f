import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { ByteSink } from '../../../../engine/block/byte-sink.ts'
import { json } from '../../../../engine/codec/json.ts'

function encode(schema: z.ZodType, value: unknown): string {
  const sink = new ByteSink(8)
  sink.utf8('before ')
  json(schema).encode(value, sink)
  return sink.buf.toString('utf8', 7, sink.at)
}

describe('encoding JSON', () => {
  test('members stand in the order of the schema, undeclared ones are left out', () => {
    expect(encode(z.object({ b: z.number(), a: z.string() }), { x: 1, a: 'é', b: -0 })).toBe('{"b":0,"a":"é"}')
  })

  test('optional members that are missing or undefined are left out, wherever they stand', () => {
    const schema = z.object({ a: z.number().optional(), b: z.number().nullish(), c: z.boolean().optional() })
    expect(encode(schema, {})).toBe('{}')
    expect(encode(schema, { a: undefined, b: null })).toBe('{"b":null}')
    expect(encode(schema, { c: true, a: 1 })).toBe('{"a":1,"c":true}')
    expect(encode(z.object({}), {})).toBe('{}')
  })

  test('strings of any length and content make room for themselves', () => {
    const schema = z.object({ a: z.string(), n: z.number(), b: z.string() })
    for (const text of [
      '\u0001'.repeat(5000),
      'é'.repeat(3000),
      '"'.repeat(39),
      '\ud800'.repeat(41),
      'x'.repeat(100_000),
      '\u{1F600}'.repeat(20),
      'tail\ud83d',
    ]) {
      const value = { a: text, n: 1.5, b: text }
      expect(encode(schema, value)).toBe(JSON.stringify(value))
    }
  })

  test('room is made wherever the buffer ends', () => {
    const schema = z.object({
      s: z.string(),
      n: z.number(),
      o: z.object({ t: z.string(), 'a rather long name': z.number() }),
      afterO: z.number(),
      l: z.array(z.number()),
      afterL: z.number(),
      e: z.string(),
      c: z.string(),
      last: z.number(),
    })
    const longest = -0.0000012345678901234567
    const value = {
      s: '日'.repeat(20),
      n: longest,
      o: { t: '日'.repeat(50), 'a rather long name': longest },
      afterO: longest,
      l: [longest],
      afterL: longest,
      e: `"${'日'.repeat(100)}`,
      c: '\u0001'.repeat(200),
      last: longest,
    }
    const codec = json(schema)
    for (let size = 1; size < 3000; size++) {
      const sink = new ByteSink(size)
      codec.encode(value, sink)
      expect(sink.buf.toString('utf8', 0, sink.at), `${size}`).toBe(JSON.stringify(value))
    }
  })

  test.each([
    [{ a: NaN }, 'a', /NaN/],
    [{ a: '1' }, 'a', /expected number/],
    [{}, 'a', /expected number/],
    [{ a: 1n }, 'a', /bigint/],
    [{ a: new Date() }, 'a', /date/i],
    [null, '$', /expected object/],
    [[1], '$', /expected object/],
    [{ a: 1, o: { x: Infinity } }, 'o.x', /Infinity/],
  ])('%o is refused with the place of the fault', (value, path, message) => {
    const sink = new ByteSink(8)
    sink.utf8('before')
    const codec = json(z.object({ s: z.string().optional(), a: z.number(), o: z.object({ x: z.number() }).optional() }))
    expect(() => codec.encode(value as never, sink)).toThrow(
      expect.objectContaining({ code: 'OUTPUT_INVALID', details: { path, message: expect.stringMatching(message) } }),
    )
    expect(sink.at).toBe(6)
  })

  test('a fault after long strings leaves the sink where it was', () => {
    const sink = new ByteSink(8)
    sink.utf8('before')
    const codec = json(z.object({ s: z.string(), list: z.array(z.number()) }))
    expect(() => codec.encode({ s: 'x'.repeat(1000), list: [NaN] }, sink)).toThrow(/OUTPUT_INVALID.*list\[0\]/)
    expect(sink.buf.toString('utf8', 0, sink.at)).toBe('before')
  })

  test('what zod takes and JSON has no place for is refused, not changed', () => {
    const any = z.object({ v: z.any() })
    for (const v of [NaN, 1n, new Date(0), new Map(), [undefined], () => 1, Symbol('x'), { deep: [new Set()] }, new Uint8Array(2)])
      expect(() => encode(any, { v }), String(v)).toThrow(/OUTPUT_INVALID/)
    expect(() => encode(z.object({ v: z.date() }), { v: new Date(0) })).toThrow(/path: v, message: JSON has no Date/)
    expect(() => encode(z.bigint(), 1n)).toThrow(/JSON has no bigint/)
    const cycle: { v?: unknown } = {}
    cycle.v = cycle
    expect(() => encode(any, cycle)).toThrow(/OUTPUT_INVALID/)
    expect(encode(any, { v: { a: undefined, b: [null, 'x', { c: -1.5 }] } })).toBe('{"v":{"b":[null,"x",{"c":-1.5}]}}')
  })

  test('a schema with a transform is for decoding only', () => {
    for (const schema of [
      z.object({ a: z.string().transform(Number) }),
      z.object({ list: z.array(z.object({ a: z.preprocess(String, z.string()) })) }),
      z.string().transform((s) => s),
      z.object({ a: z.lazy(() => z.number().transform(String)) }),
    ]) {
      expect(json(schema).decodeOnly).toMatch(/transform/)
      expect(() => encode(schema, { a: 1 })).toThrow(/JOB_INVALID/)
    }
    expect(json(z.object({ list: z.array(z.object({ a: z.preprocess(String, z.string()) })) })).decodeOnly).toContain('list.a')
    const both = z.object({
      at: z.codec(z.iso.datetime(), z.date(), { decode: (text) => new Date(text), encode: (date) => date.toISOString() }),
    })
    expect(json(both).decodeOnly).toBeUndefined()
    expect(encode(both, { at: new Date(0) })).toBe('{"at":"1970-01-01T00:00:00.000Z"}')
    const node = z.object({
      v: z.number(),
      get next() {
        return node.optional()
      },
    })
    expect(encode(node, { v: 1, next: { v: 2 } })).toBe('{"v":1,"next":{"v":2}}')
  })
})
