import type { StateEntry } from '../entry.ts'
import type { GroupContents } from '../group-contents.ts'
import type { Turn } from '../pacer.ts'
import type { StateStore } from '../store.ts'

/**
 * Second-chance clock over all entries in memory: one that was used since the hand came by last stays once more. The hand is an iterator
 * over the stores' own maps, which goes on over changes: nothing is kept for each entry.
 */
export class Eviction {
  private readonly stores: ReadonlyMap<string, StateStore<unknown>>
  private hand: Iterator<StateEntry>

  constructor(stores: ReadonlyMap<string, StateStore<unknown>>) {
    this.stores = stores
    this.hand = this.entries()
  }

  /** Lets unused, unchanged entries go while `over` says so. @param applied the last checkpoint that is below memory. */
  work(turn: Turn, applied: number, over: () => boolean): void {
    let rounds = 0
    while (over() && !turn.spent()) {
      const { value: entry, done } = this.hand.next()
      if (!done) {
        if (this.mayGo(entry, applied)) this.evict(entry)
        continue
      }
      // Nothing may go any more, after two rounds: not even what was used.
      if (++rounds > 2) return
      this.hand = this.entries()
    }
  }

  private mayGo(entry: StateEntry, applied: number): boolean {
    if (entry.generation > 0 || -entry.generation > applied || entry.contents.removedIn !== 0) return false
    if (!entry.used) return true
    entry.used = false
    return false
  }

  private evict({ contents, key }: StateEntry): void {
    contents.entries.delete(key)
    contents.cold++
    contents.meter.inMemory--
    contents.meter.cold++
    this.forgetCold(contents)
  }

  private *entries(): Generator<StateEntry> {
    for (const store of this.stores.values()) {
      for (const contents of store.contentsInMemory()) {
        if (contents.entries.size === 0) this.forgetCold(contents)
        else yield* contents.entries.values()
      }
    }
  }

  /** A group of which nothing is in memory need not be either. */
  private forgetCold(contents: GroupContents): void {
    if (contents.entries.size === 0 && contents.removed.size === 0 && contents.cold > 0)
      this.stores.get(contents.store)!.forget(contents.at)
  }
}
