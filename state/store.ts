import { assert } from '../engine/assert.ts'
import type { Key } from '../engine/model/record.ts'
import type { Store } from '../engine/ports/state.ts'
import type { Changes } from './changes.ts'
import type { ColdEntries } from './cold-entries.ts'
import { checkKey, type GroupHome, StateGroup } from './group.ts'
import type { GroupContents } from './group-contents.ts'
import { SortedKeys } from './sorted-keys.ts'
import { StoreMeter } from './store-meter.ts'

/**
 * One named store: its groups, in memory or not.
 * Invariants: I1 `order` has the first part of each group with entries, and of no other; a group without entries is only kept for whoever holds it;
 * I2 `recent` is in `inMemory`.
 */
export class StateStore<V> implements Store<V>, GroupHome<V> {
  readonly name: string
  readonly meter = new StoreMeter()
  readonly changes: Changes
  readonly cold: ColdEntries
  private readonly inMemory = new Map<Key, StateGroup<V>>()
  private readonly order = new SortedKeys()
  /** The group asked for last: most records go where the one before went. */
  private recent: StateGroup<V> | undefined = undefined
  private empty: StateGroup<V>[] = []

  constructor(name: string, changes: Changes, cold: ColdEntries) {
    this.name = name
    this.changes = changes
    this.cold = cold
  }

  group(at: Key): StateGroup<V> | undefined {
    const group = this.find(at)
    return group === undefined || group.size === 0 ? undefined : group
  }

  openGroup(at: Key): StateGroup<V> {
    const known = this.find(at)
    if (known !== undefined) return known
    checkKey(at)
    const group = new StateGroup<V>(at === 0 ? 0 : at, this)
    this.inMemory.set(group.at, group)
    this.recent = group
    this.empty.push(group)
    return group
  }

  removeGroup(at: Key): void {
    this.group(at)?.clear()
  }

  groups(): readonly Key[] {
    return this.order.toArray()
  }

  firstGroup(): Key | undefined {
    return this.order.first
  }

  filled(group: StateGroup<V>): void {
    this.order.add(group.at)
    const known = this.inMemory.get(group.at)
    assert(known === undefined || known === group, 'a group was kept across slices')
    if (known === undefined) this.inMemory.set(group.at, group)
  }

  emptied(group: StateGroup<V>): void {
    this.order.delete(group.at)
    this.empty.push(group)
  }

  /** Between slices, when nobody holds a group: forgets those without entries. */
  sweep(): void {
    if (this.empty.length === 0) return
    this.recent = undefined
    for (const group of this.empty) if (group.size === 0 && this.inMemory.get(group.at) === group) this.inMemory.delete(group.at)
    this.empty = []
  }

  /** The group's entries are all below: only its first part stays in memory. */
  forget(at: Key): void {
    this.inMemory.delete(at)
    this.recent = undefined
  }

  /** A group from a checkpoint, with entries below or to be added by the caller. */
  adopt(contents: GroupContents): void {
    this.order.add(contents.at)
    this.inMemory.set(contents.at, new StateGroup<V>(contents.at, this, contents))
    this.recent = undefined
  }

  /** A group from a checkpoint whose entries are all below. */
  adoptCold(at: Key): void {
    this.order.add(at)
  }

  *contentsInMemory(): Iterable<GroupContents> {
    for (const group of this.inMemory.values()) yield group.contents
  }

  private find(at: Key): StateGroup<V> | undefined {
    if (this.recent !== undefined && this.recent.at === at) return this.recent
    const found = this.inMemory.get(at) ?? this.coldGroup(at)
    if (found !== undefined) this.recent = found
    return found
  }

  private coldGroup(at: Key): StateGroup<V> | undefined {
    const contents = this.cold.active && this.order.has(at) ? this.cold.contents(this.name, at) : undefined
    if (contents === undefined) return undefined
    const group = new StateGroup<V>(at, this, contents)
    this.inMemory.set(at, group)
    return group
  }
}
