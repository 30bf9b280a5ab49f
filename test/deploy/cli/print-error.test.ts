import { expect, test } from 'vitest'
import { errorMessage } from '../../../deploy/cli/print-error.ts'
import { StreamError } from '../../../engine/errors.ts'

test('what an error tells of a record does not steer the terminal; where it has several lines it keeps them', () => {
  const cause = new Error('no row of \x1b[2J')
  const error = new StreamError('OUTPUT_INVALID', { path: 'a', message: 'two\n\x1b[2Jlines' }, { cause })
  const text = errorMessage(error, { json: false, verbose: false, paint: (_, painted) => painted })
  expect(text).toContain('message: two\n\\u001b[2Jlines\n')
  expect(text).toContain('no row of \\u001b[2J')
  expect(text).not.toContain('\x1b')
})
