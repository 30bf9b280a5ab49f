import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareKeys, type Key } from '../../engine/model/record.ts'
import { SortedKeys } from '../../state/sorted-keys.ts'
import { Random } from '../support/random.ts'
import { anyKey } from './support/arbitrary.ts'

test('holds what a sorted set would, in canonical order', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(anyKey, fc.boolean())), (changes) => {
      const model = new Set<Key>()
      const keys = new SortedKeys()
      for (const [key, adds] of changes) {
        if (adds && !model.has(key)) keys.add(key)
        else if (!adds) expect(keys.delete(key)).toBe(model.has(key))
        if (adds) model.add(key)
        else model.delete(key)
        expect(keys.has(key)).toBe(adds)
        expect(keys.first).toBe([...model].sort(compareKeys)[0])
      }
      expect(keys.toArray()).toEqual([...model].sort(compareKeys))
    }),
  )
})

test('many keys, added in order, backwards and at random, stay in order over many blocks', () => {
  const random = new Random(7)
  const keys = new SortedKeys()
  const model = new Set<number>()
  const add = (key: number) => {
    if (model.has(key)) return
    model.add(key)
    keys.add(key)
  }
  for (let i = 0; i < 5000; i++) add(100_000 + i)
  for (let i = 0; i < 5000; i++) add(100_000 - i)
  for (let i = 0; i < 10_000; i++) add(random.int(1_000_000))
  for (const key of [...model]) if (random.chance(0.7)) expect(model.delete(key) && keys.delete(key)).toBe(true)
  expect(keys.toArray()).toEqual([...model].sort((a, b) => a - b))
  while (keys.first !== undefined) expect(keys.delete(keys.first)).toBe(true)
  expect(keys.toArray()).toEqual([])
})
