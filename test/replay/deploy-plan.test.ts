import { expect, test } from 'vitest'
import { changesOf } from '../../replay/deploy-plan.ts'

test('a plan names what is new, changed, the same and gone', () => {
  const part = (name: string, text: string) => ({ what: 'operator' as const, name, text, detail: text })
  expect(changesOf([part('a', '1'), part('b', '1'), part('c', '1')], [part('a', '1'), part('b', '2'), part('d', '1')])).toEqual([
    { change: 'same', what: 'operator', name: 'a', detail: '1' },
    { change: 'changed', what: 'operator', name: 'b', detail: '1 → 2' },
    { change: 'added', what: 'operator', name: 'd', detail: '1' },
    { change: 'removed', what: 'operator', name: 'c', detail: '1' },
  ])
})
