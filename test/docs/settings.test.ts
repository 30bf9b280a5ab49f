import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { logSettings, runtimeSettings, stateSettings } from '../../deploy/settings.ts'

test('docs/settings.md has each setting with its default and text, and no other', () => {
  const page = readFileSync(new URL('../../docs/settings.md', import.meta.url), 'utf8')
  const rows = [...page.matchAll(/^\| `(\w+)` +\| (\S+) +\| (.*?) +\|$/gm)].map(([, name, value, text]) => [name, value, text])
  const expected = [runtimeSettings, stateSettings, logSettings].flatMap((schema) => {
    const { properties } = z.toJSONSchema(schema, { io: 'input' }) as {
      properties: Record<string, { default: unknown; description: string }>
    }
    return Object.entries(properties).map(([name, { default: value, description }]) => [name, String(value), description])
  })
  expect(rows).toEqual(expected)
})
