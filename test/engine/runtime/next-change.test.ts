import { expect, test } from 'vitest'
import { NextChange } from '../../../engine/runtime/next-change.ts'

test('who waits is woken once; who took it back is not', () => {
  const change = new NextChange()
  const woken: string[] = []
  change.onChange(() => woken.push('a'))
  const takeBack = change.onChange(() => woken.push('b'))
  change.onChange(() => {
    woken.push('c')
    change.onChange(() => woken.push('c again'))
  })
  takeBack()
  change.tell()
  expect(woken).toEqual(['a', 'c'])
  change.tell()
  change.tell()
  expect(woken).toEqual(['a', 'c', 'c again'])
  takeBack()
})
