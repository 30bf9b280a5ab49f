import { expect, test } from 'vitest'
import { rowsOf, wrapped } from '../../../deploy/cli/screen.ts'

const red = (text: string) => `\x1b[31m${text}\x1b[0m`

test('a line that is longer than the screen takes several of its rows; colours take no room', () => {
  expect(rowsOf('', 80)).toBe(0)
  expect(rowsOf('one\n\ntwo\n', 80)).toBe(3)
  expect(rowsOf(`${'x'.repeat(80)}\n${'x'.repeat(81)}\n`, 80)).toBe(3)
  expect(rowsOf(`${red('x'.repeat(80))}\n`, 80)).toBe(1)
})

test('parts go on in the next line where they do not fit, below the first one', () => {
  expect(wrapped('gates  ', ['aaaa', 'bbbb', 'cccc'], '   ', 80)).toBe('gates  aaaa   bbbb   cccc')
  expect(wrapped('gates  ', ['aaaa', red('bbbb'), 'cccc'], '   ', 18)).toBe(`gates  aaaa   ${red('bbbb')}\n       cccc`)
  expect(wrapped('gates  ', ['a'.repeat(30), 'b'], '   ', 18)).toBe(`gates  ${'a'.repeat(30)}\n       b`)
  expect(wrapped('next  ', ['aaaa', 'bbbb'], ' · ', 12)).toBe('next  aaaa ·\n      bbbb')
})
