import { expect, test } from 'vitest'
import { sinceOf } from '../../../deploy/cli/since-flag.ts'

const now = Date.UTC(2026, 10, 2)

test.each([
  ['2026-11-01T00:00:00Z', Date.UTC(2026, 10, 1)],
  ['2026-11-01', Date.UTC(2026, 10, 1)],
  ['2h', now - 7_200_000],
  ['0s', now],
])('%s', (text, since) => expect(sinceOf(text, now)).toBe(since))

test.each(['yesterday', '2', '-2h', '2026-13-01', ''])('%j is refused', (text) => {
  expect(() => sinceOf(text, now)).toThrow('USAGE')
})
