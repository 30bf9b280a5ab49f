import { expect, test } from 'vitest'
import { lineText, wholeText } from '../../../deploy/cli/dlq-text.ts'
import type { LetterFields } from '../../../deploy/letter-fields.ts'

const letter: LetterFields = {
  id: 1,
  state: 'open',
  source: null,
  code: 'OUTPUT_INVALID',
  path: '["\x9b2J"]',
  operator: 'rows',
  message: 'no row of \x1b[2J\nin the table',
  setAsideAt: null,
  eventTime: null,
  key: null,
  value: { text: '\x9b2J' },
  original: false,
  headers: [['\x1b[31m', 'a\nb']],
}

test('nothing that came with a record steers the terminal, wherever in a dead letter it stands', () => {
  expect(lineText(letter, false).join(' ')).toBe('1 – OUTPUT_INVALID ["\\u009b2J"] rows – no row of \\u001b[2J')
  const text = wholeText(letter)
  expect(text).toMatch(/^header \\u001b\[31m +a\\nb$/m)
  expect(text).toMatch(/^message +no row of \\u001b\[2J\nin the table$/m)
  expect(text).toMatch(/^value \(of the operator\) +\{"text":"\\u009b2J"\}$/m)
})
