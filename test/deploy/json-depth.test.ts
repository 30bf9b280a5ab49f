import { expect, test } from 'vitest'
import { valueField } from '../../deploy/cli/record-fields.ts'
import { jsonDepthMax, tooDeep } from '../../deploy/json-depth.ts'
import { jsonText } from '../../deploy/json-text.ts'

const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)

test('counts arrays and objects that are open at once, and no brackets in texts', () => {
  expect(tooDeep(nested(jsonDepthMax))).toBe(false)
  expect(tooDeep(nested(jsonDepthMax + 1))).toBe(true)
  expect(tooDeep('{"a":'.repeat(jsonDepthMax + 1) + 1 + '}'.repeat(jsonDepthMax + 1))).toBe(true)
  expect(tooDeep(`[${Array.from({ length: 5000 }, () => '[{}]').join(',')}]`)).toBe(false)
  expect(tooDeep(JSON.stringify([`\\"${'['.repeat(5000)}`, '\\'.repeat(5000)]))).toBe(false)
})

test('a value that is nested too deep to be written again is shown as the text it is', () => {
  const text = nested(100_000)
  expect(valueField(Buffer.from(text))).toBe(text)
  expect(jsonText(valueField(Buffer.from('[1e400]')))).toBe('[1e400]')
})
