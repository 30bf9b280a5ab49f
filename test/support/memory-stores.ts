import { compareKeys, type Key } from '../../engine/model/record.ts'
import type { Entry, Group, Store, Stores } from '../../engine/ports/state.ts'

/** The simplest stores there can be: Maps of Maps, sorted when asked. For tests and benchmarks of operators. */
export class MemoryStores implements Stores {
  private readonly stores = new Map<string, MemoryStore<unknown>>()

  store<V>(name: string): Store<V> {
    let store = this.stores.get(name)
    if (store === undefined) this.stores.set(name, (store = new MemoryStore(name)))
    return store as unknown as Store<V>
  }

  /** Names of the stores with entries. */
  names(): string[] {
    return [...this.stores].filter(([, store]) => store.groups().length > 0).map(([name]) => name)
  }

  /** What a restart finds: equal values, none of them shared. */
  restored(): MemoryStores {
    const copy = new MemoryStores()
    for (const [name, store] of this.stores) {
      for (const at of store.groups()) {
        const group = store.group(at)!
        for (const key of group.keys())
          copy
            .store(name)
            .openGroup(at)
            .put(key, structuredClone(group.get(key)))
      }
    }
    return copy
  }
}

class MemoryStore<V> implements Store<V> {
  readonly name: string
  private readonly byFirst = new Map<Key, MemoryGroup<V>>()
  private sorted: Key[] | undefined = []

  constructor(name: string) {
    this.name = name
  }

  group(at: Key): Group<V> | undefined {
    const group = this.byFirst.get(at)
    return group !== undefined && group.size > 0 ? group : undefined
  }

  openGroup(at: Key): Group<V> {
    let group = this.byFirst.get(at)
    if (group === undefined) {
      this.byFirst.set(at, (group = new MemoryGroup<V>(at, () => this.removeGroup(at))))
      this.sorted = undefined
    }
    return group
  }

  removeGroup(at: Key): void {
    if (this.byFirst.delete(at)) this.sorted = undefined
  }

  groups(): readonly Key[] {
    this.sorted ??= [...this.byFirst.keys()].sort(compareKeys)
    // Opened and still empty: not listed.
    return this.sorted.every((at) => this.byFirst.get(at)!.size > 0)
      ? this.sorted
      : this.sorted.filter((at) => this.byFirst.get(at)!.size > 0)
  }

  firstGroup(): Key | undefined {
    this.sorted ??= [...this.byFirst.keys()].sort(compareKeys)
    return this.sorted.find((at) => this.byFirst.get(at)!.size > 0)
  }
}

class MemoryGroup<V> implements Group<V> {
  readonly at: Key
  private readonly entries = new Map<Key, Entry<V>>()
  private readonly emptied: () => void

  constructor(at: Key, emptied: () => void) {
    this.at = at
    this.emptied = emptied
  }

  get size(): number {
    return this.entries.size
  }

  get(key: Key): V | undefined {
    return this.entries.get(key)?.value
  }

  has(key: Key): boolean {
    return this.entries.has(key)
  }

  edit(key: Key): Entry<V> {
    let entry = this.entries.get(key)
    if (entry === undefined) this.entries.set(key, (entry = { key, value: undefined }))
    return entry
  }

  put(key: Key, value: V): void {
    this.edit(key).value = value
  }

  remove(key: Key): boolean {
    const removed = this.entries.delete(key)
    if (this.entries.size === 0) this.emptied()
    return removed
  }

  keys(): Key[] {
    const keys = [...this.entries.keys()]
    return typeof keys[0] === 'number' && keys.every((key) => typeof key === 'number')
      ? [...Float64Array.from(keys as number[]).sort()]
      : keys.sort(compareKeys)
  }
}
