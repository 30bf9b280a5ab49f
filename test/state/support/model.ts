import { isDeepStrictEqual } from 'node:util'
import { expect } from 'vitest'
import { compareKeys, type Key } from '../../../engine/model/record.ts'
import type { Stores } from '../../../engine/ports/state.ts'
import type { Random } from '../../support/random.ts'

/** What stores should hold: store -> at -> key -> value. */
export type Model = Map<string, Map<Key, Map<Key, Value>>>
export type Value = { count: number; tags: (string | undefined)[] } | number | undefined

/** One change, chosen once and then applied to the model and, as often as a slice is run again, to the state. */
export type Change =
  | { readonly kind: 'put'; readonly store: string; readonly at: Key; readonly key: Key; readonly value: Value }
  | { readonly kind: 'edit'; readonly store: string; readonly at: Key; readonly key: Key; readonly tag: string }
  | { readonly kind: 'remove'; readonly store: string; readonly at: Key; readonly key: Key }
  | { readonly kind: 'removeGroup'; readonly store: string; readonly at: Key }

export const storeNames = ['windows', 'map', 'a']
const ats: readonly Key[] = [0, 10, 20, -5, 'x', 'y\0']

export function randomChanges(random: Random, keys: number): Change[] {
  return Array.from({ length: 1 + random.int(8) }, () => {
    const store = storeNames[random.int(storeNames.length)]!
    const at = ats[random.int(ats.length)]!
    const number = random.int(keys)
    const key: Key = number % 3 === 0 ? `k${number}` : number
    const dice = random.next()
    const count = random.int(1000)
    if (dice < 0.4) return { kind: 'put', store, at, key, value: randomValue(random, count) }
    if (dice < 0.7) return { kind: 'edit', store, at, key, tag: `t${count}` }
    if (dice < 0.93) return { kind: 'remove', store, at, key }
    return { kind: 'removeGroup', store, at }
  })
}

function randomValue(random: Random, count: number): Value {
  const dice = random.int(6)
  if (dice === 0) return -0
  if (dice === 1) return count
  return { count, tags: [] }
}

export function applyToModel(model: Model, change: Change): void {
  const groups = model.get(change.store) ?? new Map<Key, Map<Key, Value>>()
  model.set(change.store, groups)
  const entries = groups.get(change.at) ?? new Map<Key, Value>()
  if (change.kind === 'put') entries.set(change.key, structuredClone(change.value))
  else if (change.kind === 'edit') entries.set(change.key, edited(entries.get(change.key), change.tag))
  else if (change.kind === 'remove') entries.delete(change.key)
  else entries.clear()
  if (entries.size > 0) groups.set(change.at, entries)
  else groups.delete(change.at)
}

export function applyToState(state: Stores, change: Change): void {
  const store = state.store<Value>(change.store)
  if (change.kind === 'removeGroup') return store.removeGroup(change.at)
  const group = change.kind === 'remove' ? store.group(change.at) : store.openGroup(change.at)
  if (change.kind === 'put') group!.put(change.key, structuredClone(change.value))
  else if (change.kind === 'remove') group?.remove(change.key)
  else {
    const entry = group!.edit(change.key)
    entry.value = edited(entry.value, change.tag)
  }
}

/** Changes objects in place, as operators do. */
function edited(value: Value, tag: string): Value {
  if (typeof value !== 'object') return { count: (value ?? 0) + 1, tags: [tag] }
  value.count++
  if (value.tags.length < 4) value.tags.push(tag)
  else value.tags = [undefined]
  return value
}

export function cloneModel(model: Model): Model {
  return structuredClone(model)
}

/** Everything a store can be asked without its values. */
export function expectEqual(state: Stores, model: Model, about: string): void {
  const compare = new Comparison(about)
  for (const name of storeNames) {
    const store = state.store<Value>(name)
    const groups = model.get(name) ?? new Map<Key, Map<Key, Value>>()
    const order = [...groups.keys()].sort(compareKeys)
    compare.equal(store.groups(), order, 'groups of', name)
    compare.equal(store.firstGroup(), order[0], 'first group of', name)
    for (const at of ats) {
      const entries = groups.get(at)
      const group = store.group(at)
      compare.equal(group === undefined, entries === undefined, 'no group', name, at)
      compare.equal(group?.size, entries?.size, 'size of', name, at)
      compare.equal(group?.keys(), entries && [...entries.keys()].sort(compareKeys), 'keys of', name, at)
    }
  }
}

/** Values too; takes them into memory. */
export function expectEqualValues(state: Stores, model: Model, about: string, keys: number): void {
  const compare = new Comparison(about)
  for (const name of storeNames) {
    for (const at of ats) {
      const group = state.store<Value>(name).group(at)
      const entries = model.get(name)?.get(at)
      for (let number = 0; number < keys; number++) {
        const key: Key = number % 3 === 0 ? `k${number}` : number
        compare.equal(group?.get(key), entries?.get(key), 'value of', name, at, key)
        compare.equal(group?.has(key) ?? false, entries?.has(key) ?? false, 'has', name, at, key)
      }
    }
  }
}

/** Thousands of comparisons a run: `expect` and its messages would take most of the time. */
class Comparison {
  private readonly about: string

  constructor(about: string) {
    this.about = about
  }

  equal(got: unknown, expected: unknown, ...what: Key[]): void {
    if (!isDeepStrictEqual(got, expected)) expect(got, `${this.about}: ${what.join(' ')}`).toStrictEqual(expected)
  }
}
