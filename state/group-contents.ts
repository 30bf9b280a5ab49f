import type { Key } from '../engine/model/record.ts'
import type { StateEntry } from './entry.ts'
import type { StoreMeter } from './store-meter.ts'

/**
 * What a group holds from its first entry until all are removed at once. A group that fills again begins with new contents, so that
 * entries of the old ones that still wait for their checkpoint can't be mistaken for new ones.
 */
export class GroupContents {
  readonly store: string
  readonly meter: StoreMeter
  readonly at: Key
  /** The generation of the first entry; older checkpoints have nothing of it. */
  readonly born: number
  /** Live entries in memory. */
  readonly entries = new Map<Key, StateEntry>()
  /** Removed ones, until their removal is serialised, or applied where older values may be below memory. */
  readonly removed = new Map<Key, StateEntry>()
  /** The last entry made in the generation of its birth, until that is serialised: the first of a chain of all that were. */
  lastMade: StateEntry | undefined = undefined
  /** Live entries that are in the spill store only. */
  cold = 0
  /** The generation in which all was removed at once; 0: it was not. */
  removedIn = 0

  constructor(store: string, meter: StoreMeter, at: Key, born: number) {
    this.store = store
    this.meter = meter
    this.at = at
    this.born = born
  }
}
