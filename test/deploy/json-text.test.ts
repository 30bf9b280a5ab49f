import fc from 'fast-check'
import { expect, test } from 'vitest'
import { jsonText, RawJson } from '../../deploy/json-text.ts'

test('is what JSON.stringify gives', () => {
  fc.assert(
    fc.property(fc.anything({ withDate: true, withSparseArray: false }), (data) => {
      expect(jsonText(data)).toBe(JSON.stringify(data) ?? 'null')
    }),
  )
  expect(jsonText({ a: undefined, b: [undefined, Number.NaN, 'ü"\n'], 'c"': new Date(0) })).toBe(
    '{"b":[null,null,"ü\\"\\n"],"c\\"":"1970-01-01T00:00:00.000Z"}',
  )
})

test('what is raw stands in it as it is', () => {
  const raw = new RawJson('{"n":12345678901234567890,"n":1e400}')
  expect(jsonText({ a: [raw], b: raw })).toBe(`{"a":[${raw.text}],"b":${raw.text}}`)
})
