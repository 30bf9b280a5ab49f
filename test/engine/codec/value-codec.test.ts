import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ByteSink } from '../../../engine/block/byte-sink.ts'
import { checkStorable, decodeValue, encodeValue, storable } from '../../../engine/codec/value-codec.ts'
import { codeOf, type StreamError } from '../../../engine/errors.ts'

function bytesOf(value: unknown): Buffer {
  const out = new ByteSink(1)
  out.need(3)
  out.at = 3
  encodeValue(value, out)
  return Buffer.from(out.buf.subarray(3, out.at))
}

function roundTrip(value: unknown): unknown {
  const bytes = bytesOf(value)
  const padded = Buffer.concat([Buffer.from([255, 255]), bytes, Buffer.from([255])])
  return decodeValue(padded, 2, 2 + bytes.length)
}

const anyText = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.constantFrom('\ud800', '\udc00a', 'é'.repeat(80), '€'.repeat(64), '', '\0', '__proto__', '7'),
)

const { value: anyValue } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(
      fc.integer(),
      fc.double(),
      fc.maxSafeInteger(),
      fc.constantFrom(0, -0, NaN, Infinity, -Infinity, 63, 64, -1, 2 ** 31, -(2 ** 31), 2 ** 32),
    ),
    fc.oneof(fc.bigInt(), fc.constantFrom(0n, -(2n ** 64n))),
    anyText,
    fc.constantFrom(undefined, null, true, false),
    fc.date({ noInvalidDate: false }),
    fc.uint8Array(),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    fc.array(tie('value'), { maxLength: 70 }),
    fc.sparseArray(tie('value'), { maxNumElements: 5 }),
    fc.dictionary(anyText, tie('value'), { noNullPrototype: false }),
    fc.array(fc.tuple(tie('value'), tie('value'))).map((entries) => new Map(entries)),
    fc.array(tie('value')).map((items) => new Set(items)),
  ),
}))

test('a value read back equals the one put in, in kind, order and prototype', () => {
  fc.assert(
    fc.property(anyValue, (value) => {
      const again = roundTrip(value)
      expect(again).toStrictEqual(value)
      expect(bytesOf(again)).toEqual(bytesOf(value))
    }),
    { numRuns: 1000 },
  )
})

test('-0, NaN, holes, undefined properties and the order of properties survive', () => {
  expect(Object.is(roundTrip(-0), -0)).toBe(true)
  expect(roundTrip(Number.NaN)).toBeNaN()
  // biome-ignore lint/suspicious/noSparseArray: the case itself
  const holes = roundTrip([, undefined, , ,]) as unknown[]
  expect([holes.length, 0 in holes, 1 in holes, 2 in holes]).toEqual([4, false, true, false])
  const value = roundTrip({ b: undefined, a: 1, __proto__: null }) as object
  expect(Object.keys(value)).toEqual(['b', 'a'])
  const named = roundTrip(JSON.parse('{"__proto__": 1}')) as object
  expect(Object.keys(named)).toEqual(['__proto__'])
  expect(Object.getPrototypeOf(named)).toBe(Object.prototype)
})

test('a decoded value keeps nothing of the bytes it came from', () => {
  const bytes = bytesOf({ raw: new Uint8Array([1, 2]), buffer: Buffer.from([3]) })
  const value = decodeValue(bytes, 0, bytes.length)
  bytes.fill(0)
  expect(value).toStrictEqual({ raw: new Uint8Array([1, 2]), buffer: Buffer.from([3]) })
})

test('dates are made by the function given', () => {
  class JobDate extends Date {}
  const bytes = bytesOf([new JobDate(5)])
  const [date] = decodeValue(bytes, 0, bytes.length, (ms) => new JobDate(ms)) as [JobDate]
  expect(date).toBeInstanceOf(JobDate)
  expect(date.getTime()).toBe(5)
})

class Money {}
const circle: Record<string, unknown> = {}
circle.self = circle

test.each([
  ['a function', { a: [1, { f: () => 1 }] }, 'value.a[1].f', 'function'],
  ['a symbol', new Map([['x', Symbol('s')]]), 'value.get("x")', 'symbol'],
  ['a property named by a symbol', { ok: 1, in: { [Symbol('s')]: 1 } }, 'value.in[Symbol(s)]', 'a property named by a symbol'],
  ['a class instance', { price: new Money() }, 'value.price', 'an instance of Money'],
  ['a subclass of a plain one', { list: new (class List extends Array {})() }, 'value.list', 'an instance of List'],
  ['a typed array of another kind', [new Float64Array(1)], 'value[0]', 'an instance of Float64Array'],
  ['a set member', { 'a b': new Set([new Money()]) }, 'value["a b"].values[0]', 'an instance of Money'],
])('%s is refused with its path', (_name, value, path, type) => {
  const out = new ByteSink()
  out.utf8('before')
  const error = thrown(() => encodeValue(value, out))
  expect(codeOf(error)).toBe('STATE_VALUE_UNSUPPORTED')
  expect((error as StreamError).details).toEqual({ path, type })
  expect(out.at).toBe(6)
})

const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)])
const odd = fc.constantFrom<unknown>(() => 1, Symbol('s'), new Money(), { [Symbol('s')]: 1 }, new Float64Array(1), nested(184), nested(185))

test('what can be kept is what can be encoded, with some levels left for what is put around it', () => {
  const around = (value: unknown) => Array.from({ length: 16 }).reduce((inner) => [inner], value)
  const encodes = (value: unknown) => thrown(() => bytesOf(around(value))) === undefined
  const mixed = fc
    .tuple(anyValue, fc.oneof(anyValue, odd))
    .chain(([value, other]) =>
      fc.constantFrom<unknown>(
        value,
        other,
        [value, other],
        { value, other },
        new Map([[value, other]]),
        new Map([[other, value]]),
        new Set([value, other]),
        Object.assign(Object.create(null), { other }),
      ),
    )
  fc.assert(
    fc.property(mixed, (value) => storable(value) === encodes(value)),
    { numRuns: 1000 },
  )
  expect([storable(nested(184)), storable(nested(185)), storable(circle)]).toEqual([true, false, false])
})

test('what can not be kept is refused with its path and what the caller says', () => {
  const error = thrown(() => checkStorable({ price: new Money() }, { operator: 'p' })) as StreamError
  expect([error.code, error.details]).toEqual([
    'STATE_VALUE_UNSUPPORTED',
    { operator: 'p', path: 'value.price', type: 'an instance of Money' },
  ])
  expect((thrown(() => checkStorable(nested(185))) as StreamError).details.type).toBe('nested too deep: a circle?')
})

test('a circle is refused', () => {
  expect(codeOf(thrown(() => bytesOf(circle)))).toBe('STATE_VALUE_UNSUPPORTED')
})

test('bytes of another format or cut short fail', () => {
  const bytes = bytesOf({ a: 'text', b: [1, 2.5] })
  for (let end = 0; end < bytes.length; end++) expect(() => decodeValue(bytes, 0, end)).toThrow()
  bytes[0] = 2
  expect(() => decodeValue(bytes, 0, bytes.length)).toThrow('format 2')
})

function thrown(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  return undefined
}
