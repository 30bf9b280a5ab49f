import fc from 'fast-check'
import * as z from 'zod'

/** A field type with texts, of which the first four (or all, when fewer) fit it, and values for the encoder. */
interface FieldType {
  readonly schema: z.ZodType
  readonly texts: readonly string[]
  readonly values: readonly unknown[]
}

const integers = [
  '7',
  '42',
  '123',
  '123456',
  '0',
  '1',
  '9999',
  '10000',
  '99999999',
  '100000000',
  '1700000000000',
  '-1',
  '-0',
  '999999999999999',
  '9007199254740991',
]
const decimals = [
  '0.5',
  '-0.0',
  '12.34',
  '1e3',
  '1E5',
  '1.5e-7',
  '123456789.125',
  '0.30000000000000004',
  '5e-324',
  '1.7976931348623157e308',
  '9007199254740993',
  '12345678901234567890',
  '4503599627370497.5',
  '1e-400',
  '0.000000000000000000000001',
  '100000000000000000000000',
]
const words = [
  'a',
  'abc',
  'four',
  'é',
  '',
  'Apple',
  'eight888',
  'nine99999',
  'sixteen_sixteen_',
  'seventeen_seventee',
  'https://www.example.com/a/b/c?query=1&d=2',
  'naïve ',
  '日本語',
  '\u{1F600}',
  '\u{1F600}\u{1F600}x',
  'a"b',
  'back\\slash',
  'line\nbreak',
  '\u0000',
  '\u001f',
  '\u007f',
  '\ud800',
  'x\udc00',
  '\u2028',
  '\ufffd',
  '/',
  ' '.repeat(20),
  'x'.repeat(33),
]
const strings = [
  ...words.map((word) => JSON.stringify(word)),
  '"\\u0061bc"',
  '"\\/"',
  '"\\ud83d\\ude00"',
  '"\\uD800"',
  '"\\b\\f\\n\\r\\t"',
  '"\u007f"',
]
const numbers = [
  0,
  -0,
  1,
  -1,
  7,
  10,
  99,
  100,
  12345,
  99999999,
  1e8,
  123456789,
  1e9,
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31),
  2 ** 32,
  1.7e12,
  2 ** 53 - 1,
  2 ** 53,
  -(2 ** 53),
  1e21,
  1e-7,
  0.1,
  5e-324,
  1.7976931348623157e308,
  123456.789,
]

export const types: Readonly<Record<string, FieldType>> = {
  number: { schema: z.number(), texts: [...integers, ...decimals], values: numbers },
  int: { schema: z.number().int(), texts: integers, values: numbers },
  bounded: { schema: z.number().min(1).lt(1e6), texts: integers, values: numbers },
  int32: { schema: z.int32(), texts: integers, values: numbers },
  positive: { schema: z.number().positive(), texts: [...integers, ...decimals], values: numbers },
  string: { schema: z.string(), texts: strings, values: words },
  short: { schema: z.string().min(1).max(4), texts: strings, values: words },
  three: { schema: z.string().length(3), texts: ['"abc"', '"\u{1F600}bc"', '"äöü"', '"xyz"', ...strings], values: words },
  boolean: { schema: z.boolean(), texts: ['true', 'false'], values: [true, false] },
  enum: {
    schema: z.enum(['Apple', 'Google', 'a', '', 'abcdefghijklmnopqrstuvwxyz']),
    texts: ['"Apple"', '"a"', '""', '"abcdefghijklmnopqrstuvwxyz"', '"Google"', '"\\u0061"', '"Appl"'],
    values: ['Apple', '', 'a', 'Google', 'abcdefghijklmnopqrstuvwxyz', 'b'],
  },
  literal: { schema: z.literal('bid'), texts: ['"bid"'], values: ['bid', 'bid2'] },
  numberLiteral: { schema: z.literal([1, 2, null]), texts: ['1', '2', 'null', '1.0'], values: [1, 2, null] },
  nested: {
    schema: z.object({ x: z.number(), 'y y': z.string().optional() }),
    texts: ['{"x":1}', '{"x":2,"y y":"a"}', '{ "z": [1, {}], "x" : 3 }', '{"x":-0.0}', '{"x":1,"x":2}', '{"x":1e400}'],
    values: [{ x: 1 }, { x: 2, 'y y': 'é' }, { x: 3, z: 1 }, { x: 1, 'y y': undefined }, {}],
  },
  deep: {
    schema: z.object({ a: z.object({ b: z.object({ c: z.int().nullable() }) }) }),
    texts: ['{"a":{"b":{"c":1}}}', '{"a":{"b":{"c":null}}}', '{"a":{"b":{}}}'],
    values: [{ a: { b: { c: 1 } } }, { a: { b: { c: null } } }, { a: { b: 1 } }],
  },
  array: { schema: z.array(z.number()), texts: ['[]', '[1,2]', '[ 1.5 , 2 ]', '[3]', '["x"]'], values: [[], [1, 2], [NaN], [1, 'x']] },
  strict: {
    schema: z.strictObject({ x: z.number() }),
    texts: ['{"x":1}', '{"x":1,"y":2}', '{"__proto__":1,"x":1}'],
    values: [{ x: 1 }, { x: 1, y: 2 }],
  },
  email: { schema: z.email(), texts: ['"a@b.de"', '"no"'], values: ['a@b.de', 'no'] },
  trimmed: { schema: z.string().trim(), texts: ['" a "', '"b"'], values: [' a ', 'b'] },
  defaulted: { schema: z.number().default(3), texts: integers, values: numbers },
  caught: { schema: z.number().catch(3), texts: [...integers, '"x"'], values: numbers },
  exact: { schema: z.exactOptional(z.number()), texts: integers, values: [...numbers, undefined] },
  codec: {
    schema: z.codec(z.string(), z.number(), { decode: (text) => text.length, encode: (n) => 'x'.repeat(n % 50) }),
    texts: strings,
    values: [1, 2],
  },
  union: { schema: z.union([z.number(), z.string()]), texts: [...integers, ...strings], values: [1, 'a', true] },
}

export const junk = [
  'null',
  'true',
  'false',
  '0',
  '1',
  '"x"',
  '""',
  '{}',
  '[]',
  '[[],{"a":[null]}]',
  '{"a":1,"b":"\\"}"}',
  '1e400',
  '-1e400',
  '00',
  '01',
  '-',
  '-01',
  '+1',
  '.5',
  '1.',
  '1e',
  '1e+',
  '0x10',
  'NaN',
  'Infinity',
  'tru',
  'nul',
  'truex',
  '"',
  '"\t"',
  '"\\x"',
  '"\\u12G4"',
  '"\\u12',
  '{"a"}',
  '[1,]',
  '{,}',
  '',
  '"\ufeff"',
  "'a'",
  '[',
  '{"a":',
  '\u0000',
  '1 2',
  '"a" "b"',
]
const names = [
  'a',
  'b',
  'auction',
  'bidder',
  'price',
  'dateTime',
  'x y',
  'é',
  '',
  'a"b',
  'back\\slash',
  'a_name_longer_than_16_bytes',
  'exactly8',
  '日本',
  'Price',
  'constructor',
  '__proto__',
  '0',
]

const wrappers: readonly ((schema: z.ZodType) => z.ZodType)[] = [
  (schema) => schema,
  (schema) => schema,
  (schema) => schema,
  (schema) => schema.optional(),
  (schema) => schema.nullable(),
  (schema) => schema.nullish(),
  (schema) => schema.nullable().optional(),
  (schema) => schema.optional().nullable(),
]

export interface SchemaCase {
  readonly schema: z.ZodObject
  readonly fields: readonly { name: string; type: string; wrap: number }[]
}

export const schemaCase: fc.Arbitrary<SchemaCase> = fc
  .record({
    strict: fc.integer({ min: 0, max: 14 }),
    fields: fc.uniqueArray(
      fc.record({
        // the plain ones more often than those that always go to zod
        name: fc.oneof(
          { weight: 40, arbitrary: fc.constantFrom(...names.slice(0, -3)) },
          { weight: 1, arbitrary: fc.constantFrom(...names.slice(-3)) },
        ),
        type: fc.oneof(
          { weight: 4, arbitrary: fc.constantFrom('number', 'int', 'bounded', 'string', 'short', 'boolean', 'enum', 'nested') },
          { weight: 1, arbitrary: fc.constantFrom(...Object.keys(types)) },
        ),
        wrap: fc.nat(wrappers.length - 1),
      }),
      { selector: ({ name }) => name, minLength: 1, maxLength: 6 },
    ),
  })
  .map(({ strict, fields }) => {
    // built like this, as a literal could not hold __proto__
    const shape = Object.fromEntries(
      fields.map(({ name, type, wrap }) => [name, wrappers[wrap]?.(types[type]?.schema as z.ZodType) as z.ZodType]),
    )
    return { schema: strict === 0 ? z.strictObject(shape) : z.object(shape), fields }
  })

/** How a record's keys lie; several records of a block share one, so that it is learned. */
const layout = fc.record({
  rotate: fc.nat(6),
  reverse: fc.boolean(),
  dropped: fc.nat(63),
  gap: fc.constantFrom('', '', '', ' ', '\n  ', '\t', '\r\n'),
  extras: fc.array(
    fc.record({
      at: fc.nat(6),
      name: fc.constantFrom(...names, 'other', ' a', 'a '),
      value: fc.constantFrom(...junk.slice(0, 11), '12', '1234567890123', '"https://www.example.com/\\"/x"', '"short"'),
    }),
    { maxLength: 2 },
  ),
})
const record = fc.record({
  layout: fc.nat(2),
  values: fc.array(fc.tuple(fc.integer({ min: 0, max: 39 }), fc.nat()), { minLength: 6, maxLength: 6 }),
  edit: fc.oneof(
    { weight: 8, arbitrary: fc.constant(undefined) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constantFrom('cut', 'set', 'insert', 'append', 'repeat', 'escape', 'gap'),
        at: fc.nat(),
        byte: fc.oneof(fc.constantFrom(0, 9, 34, 92, 125, 123, 91, 44, 58, 32, 0xff, 0xc3, 0x80, 0xef, 48, 57, 101, 46, 45), fc.nat(255)),
      }),
    },
  ),
})
type Of<A> = A extends fc.Arbitrary<infer T> ? T : never
export type RecordCase = Of<typeof record>

export const blockCase = fc.record({
  schema: schemaCase,
  layouts: fc.array(layout, { minLength: 3, maxLength: 3 }),
  records: fc.array(record, { minLength: 6, maxLength: 24 }),
  after: fc.nat(),
  step: fc.integer({ min: 1, max: 20 }),
})

/** The bytes of one record of a schema. */
export function render(
  { fields }: SchemaCase,
  layouts: readonly Of<typeof layout>[],
  { layout: which, values, edit }: RecordCase,
): Uint8Array {
  const { rotate, reverse, dropped, gap, extras } = layouts[which] as Of<typeof layout>
  let members = fields.flatMap(({ name, type, wrap }, i): [string, string][] => {
    const [luck, pick] = values[i] as [number, number]
    const texts = types[type]?.texts as readonly string[]
    if ((dropped >> i) & 1 && (wrap > 2 || luck === 0)) return []
    const text =
      luck === 1
        ? junk[pick % junk.length]
        : luck === 2
          ? 'null'
          : luck < 35
            ? texts[pick % Math.min(4, texts.length)]
            : texts[pick % texts.length]
    return [[JSON.stringify(name), text as string]]
  })
  members = [...members.slice(rotate % (members.length || 1)), ...members.slice(0, rotate % (members.length || 1))]
  if (reverse) members.reverse()
  for (const { at, name, value } of extras) members.splice(at % (members.length + 1), 0, [JSON.stringify(name), value])
  if (edit?.kind === 'repeat' && members.length > 0) members.push(members[edit.at % members.length] as [string, string])
  if (edit?.kind === 'escape' && members.length > 0) {
    const member = members[edit.at % members.length] as [string, string]
    member[0] = member[0].replace(/[a-z]/, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`)
  }
  const outside = edit?.kind === 'gap' ? ([' ', '\n', '\f', '\u00a0', '\ufeff'][edit.at % 5] as string) : ''
  const text = `${outside}{${gap}${members.map(([key, value]) => `${key}:${gap && ' '}${value}`).join(`,${gap}`)}${gap}}${edit && edit.at % 2 ? outside : ''}`
  return damage(Buffer.from(text), edit)
}

function damage(bytes: Buffer, edit: RecordCase['edit']): Uint8Array {
  if (edit === undefined) return bytes
  const at = edit.at % (bytes.length + 1)
  switch (edit.kind) {
    case 'cut':
      return bytes.subarray(0, at)
    case 'set':
      return Buffer.from(bytes.map((byte, i) => (i === at ? edit.byte : byte)))
    case 'insert':
      return Buffer.concat([bytes.subarray(0, at), Buffer.of(edit.byte), bytes.subarray(at)])
    case 'append':
      return Buffer.concat([bytes, Buffer.of(edit.byte)])
    default:
      return bytes
  }
}
