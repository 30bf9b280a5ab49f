import { StreamError } from '../engine/errors.ts'
import type { Key } from '../engine/model/record.ts'
import type { Group } from '../engine/ports/state.ts'
import type { Changes } from './changes.ts'
import type { ColdEntries } from './cold-entries.ts'
import { StateEntry } from './entry.ts'
import { GroupContents } from './group-contents.ts'
import { sortKeys } from './sort-keys.ts'
import type { StoreMeter } from './store-meter.ts'

/** What a group asks of its store. */
export interface GroupHome<V> {
  readonly name: string
  readonly meter: StoreMeter
  readonly changes: Changes
  readonly cold: ColdEntries
  /** The group has its first entry. */
  filled(group: StateGroup<V>): void
  /** The group has no entry any more. */
  emptied(group: StateGroup<V>): void
}

/** The entries of one store under one first key part. */
export class StateGroup<V> implements Group<V> {
  readonly at: Key
  /** contents.entries, one step nearer. */
  private entries: Map<Key, StateEntry<V>>
  private readonly home: GroupHome<V>
  private readonly changes: Changes
  contents: GroupContents

  constructor(at: Key, home: GroupHome<V>, contents = new GroupContents(home.name, home.meter, at, home.changes.generation)) {
    this.at = at
    this.home = home
    this.changes = home.changes
    this.contents = contents
    this.entries = contents.entries as Map<Key, StateEntry<V>>
  }

  get size(): number {
    return this.entries.size + this.contents.cold
  }

  get(key: Key): V | undefined {
    const entry = this.entries.get(key)
    if (entry !== undefined) {
      entry.used = true
      return entry.value
    }
    return this.contents.cold === 0 ? undefined : this.warmed(key)?.value
  }

  has(key: Key): boolean {
    return this.entries.has(key) || this.warmed(key) !== undefined
  }

  edit(key: Key): StateEntry<V> {
    const entry = this.entries.get(key)
    if (entry !== undefined && entry.generation === this.changes.generation) return entry
    return this.editFirst(key, entry)
  }

  put(key: Key, value: V): void {
    this.edit(key).value = value
  }

  remove(key: Key): boolean {
    const entry = this.entries.get(key) ?? this.warmed(key)
    if (entry === undefined) return false
    if (this.size === 1) {
      this.clear()
      return true
    }
    if (entry.generation !== this.changes.generation) this.changes.touch(entry)
    entry.live = false
    entry.value = undefined
    this.entries.delete(key)
    this.home.meter.inMemory--
    this.contents.removed.set(key, entry)
    return true
  }

  /** Removes all entries, without touching each. */
  clear(): void {
    if (this.size === 0) return
    this.home.meter.inMemory -= this.entries.size
    this.home.meter.cold -= this.contents.cold
    this.changes.cleared(this.contents)
    this.begin()
    this.home.emptied(this)
  }

  keys(): Key[] {
    const { contents } = this
    const keys = contents.cold === 0 ? [...this.entries.keys()] : this.home.cold.keys(contents)
    return sortKeys(keys)
  }

  /** The first touch of an entry in this generation. */
  private editFirst(key: Key, inMemory: StateEntry<V> | undefined): StateEntry<V> {
    const entry = inMemory ?? this.warmed(key)
    if (entry === undefined) return this.create(key)
    this.changes.touch(entry)
    return entry
  }

  private create(key: Key): StateEntry<V> {
    checkKey(key)
    const { changes } = this
    if (this.size === 0) {
      if (this.contents.born !== changes.generation) this.begin()
      this.home.filled(this)
    }
    const entry = this.revive(key) ?? this.make(key)
    this.entries.set(entry.key, entry)
    this.home.meter.inMemory++
    return entry
  }

  private make(key: Key): StateEntry<V> {
    const { generation } = this.changes
    // -0 and 0 are one key.
    const entry = new StateEntry<V>(key === 0 ? 0 : key, undefined, generation, generation, this.contents)
    this.changes.created(entry)
    return entry
  }

  /** The entry of a removed key comes back: one entry a key and generation. */
  private revive(key: Key): StateEntry<V> | undefined {
    const { removed } = this.contents
    if (removed.size === 0) return undefined
    const entry = removed.get(key) as StateEntry<V> | undefined
    if (entry === undefined) return undefined
    removed.delete(key)
    const { generation } = this.changes
    if (entry.generation !== generation) {
      this.changes.touch(entry)
      entry.born = generation
    }
    entry.live = true
    entry.used = true
    return entry
  }

  /** The entry from below, now in memory. */
  private warmed(key: Key): StateEntry<V> | undefined {
    const { contents } = this
    if (contents.cold === 0 || contents.removed.has(key)) return undefined
    return this.home.cold.warm(contents, key) as StateEntry<V> | undefined
  }

  private begin(): void {
    this.contents = new GroupContents(this.home.name, this.home.meter, this.at, this.changes.generation)
    this.entries = this.contents.entries as Map<Key, StateEntry<V>>
  }
}

export function checkKey(key: Key): void {
  if (typeof key === 'string' || (typeof key === 'number' && !Number.isNaN(key))) return
  throw new StreamError('KEY_INVALID', { key: String(key), type: typeof key })
}
