import { expect, test } from 'vitest'
import { compareKeys, type Key } from '../../engine/model/record.ts'
import { sortKeys } from '../../state/sort-keys.ts'

test.each<[string, Key[]]>([
  ['small integers', [3, -1, 2 ** 31 - 1, 0, -(2 ** 31), 7]],
  ['integers that are not small', [3, 2 ** 31, -1, 2 ** 53]],
  ['fractions', [3, 0.5, -1]],
  ['numbers and texts', ['b', 10, '9', 2, 'a', -1]],
])('%s are sorted as they are compared, each as it was', (_, keys) => {
  expect(sortKeys([...keys])).toEqual([...keys].sort(compareKeys))
})
