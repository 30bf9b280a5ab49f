import type { EpochMs, Key } from '../../engine/model/record.ts'
import type { Store, Stores } from '../../engine/ports/state.ts'
import { KeyWalk } from '../key-walk.ts'
import { stateStore } from './state-handles.ts'

/** At most so many values are removed at once: what has expired is not seen any more, so this may wait. */
const removalsMax = 5000

/**
 * Removes values whose time to live is over. Reads see to it themselves that such values are not seen; this only gives the space back.
 * Owns: the store `<operator>.expiry`: by a time at or after the end of life, rounded up so that a value that is written all the time is noted
 * now and then only.
 */
export class Expiry {
  private readonly operator: string
  private readonly stores: Stores
  /** The keys are `[state, group, key]` as JSON. */
  private readonly store: Store<true>
  private readonly walk: KeyWalk

  constructor(stores: Stores, operator: string) {
    this.operator = operator
    this.stores = stores
    this.store = stores.store(`${operator}.expiry`)
    this.walk = new KeyWalk(this.store)
  }

  /** A value was written that lives until `expires`; before, until `was`. */
  noted(state: string, at: Key, key: Key, expires: EpochMs, ttlMs: number, was: EpochMs | undefined): void {
    const step = Math.max(1, Math.ceil(ttlMs / 16))
    const due = Math.ceil(expires / step) * step
    if (was !== undefined && Math.ceil(was / step) * step === due) return
    this.store.openGroup(due).put(JSON.stringify([state, at, key]), true)
    this.walk.added(due)
  }

  /** Removes what was over at `time`, when no record or timer before it can come any more. */
  clean(time: EpochMs): void {
    for (let removed = 0; removed < removalsMax; removed++) {
      const due = this.walk.first()
      if (due === undefined || due > time) return
      const noted = this.walk.key(due)
      if (noted === undefined) continue
      const group = this.store.group(due)!
      const [state, at, key] = JSON.parse(noted as string) as [string, Key, Key]
      const values = this.stores.store<{ readonly expires: EpochMs }>(stateStore(this.operator, state)).group(at)
      const value = values?.get(key)
      // A value written since is noted again, later.
      if (value !== undefined && value.expires <= time) values!.remove(key)
      group.remove(noted)
    }
  }
}
