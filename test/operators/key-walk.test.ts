import { expect, test } from 'vitest'
import { KeyWalk } from '../../operators/key-walk.ts'
import { MemoryStores } from '../support/memory-stores.ts'

const open = (...entries: readonly (readonly [number, string])[]) => {
  const store = new MemoryStores().store<number>('s')
  for (const [at, key] of entries) store.openGroup(at).put(key, 1)
  return { store, walk: new KeyWalk(store) }
}

test('gives the keys of the first group in order, each until it is removed', () => {
  const { store, walk } = open([5, 'b'], [5, 'a'], [7, 'c'])
  expect([walk.first(), walk.key(5), walk.key(5)]).toEqual([5, 'a', 'a'])
  store.group(5)!.remove('a')
  expect(walk.key(5)).toBe('b')
  store.group(5)!.remove('b')
  expect([walk.first(), walk.key(7), walk.key(5)]).toEqual([7, 'c', undefined])
})

test('passes over keys that are removed out of turn', () => {
  const { store, walk } = open([5, 'a'], [5, 'b'], [5, 'c'])
  expect(walk.key(5)).toBe('a')
  store.group(5)!.remove('a')
  store.group(5)!.remove('b')
  expect(walk.key(5)).toBe('c')
})

test('sees what is added in front of it', () => {
  const { store, walk } = open([5, 'b'], [5, 'c'])
  expect(walk.key(5)).toBe('b')
  store.group(5)!.put('a', 1)
  walk.added(5)
  expect(walk.key(5)).toBe('a')
})
