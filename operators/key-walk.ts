import type { EpochMs, Key } from '../engine/model/record.ts'
import type { Store } from '../engine/ports/state.ts'

/**
 * Goes through the keys of a store's first group in canonical order, over several calls. Owns: nothing but a copy of the keys, which is made
 * again after a restart; the place is where the store's own entries begin, so what was handled must be removed before the next call.
 */
export class KeyWalk {
  private readonly store: Store<unknown>
  private at: Key | undefined = undefined
  private keys: readonly Key[] = []
  private next = 0

  constructor(store: Store<unknown>) {
    this.store = store
  }

  /** The first time with entries; cheap. */
  first(): EpochMs | undefined {
    return this.store.firstGroup() as EpochMs | undefined
  }

  /** The lowest key at `at`, the store's first group. */
  key(at: EpochMs): Key | undefined {
    const group = this.store.group(at)
    if (group === undefined) return undefined
    if (this.at !== at) {
      this.at = at
      this.keys = group.keys()
      this.next = 0
    }
    while (this.next < this.keys.length) {
      const key = this.keys[this.next]!
      if (group.has(key)) return key
      this.next++
    }
    this.at = undefined
    return undefined
  }

  /** An entry was added at `at`: a walk through it begins again. */
  added(at: EpochMs): void {
    if (this.at === at) this.at = undefined
  }
}
