import type { EpochMs, Key } from '../../engine/model/record.ts'
import type { Store } from '../../engine/ports/state.ts'
import { KeyWalk } from '../key-walk.ts'

export interface QueuedTimer {
  readonly name: string
  readonly payload: unknown
  /** It was set by a timer. */
  readonly chained: boolean
}

/** Timers by (time, key, name). Owns: one store. Invariant: the list of a (time, key) is in the order of names. */
export class TimerQueue {
  private readonly store: Store<readonly QueuedTimer[]>
  private readonly walk: KeyWalk

  constructor(store: Store<readonly QueuedTimer[]>) {
    this.store = store
    this.walk = new KeyWalk(store)
  }

  first(): EpochMs | undefined {
    return this.walk.first()
  }

  set(at: EpochMs, key: Key, timer: QueuedTimer): void {
    const entry = this.store.openGroup(at).edit(key)
    const others = (entry.value ?? []).filter(({ name }) => name !== timer.name)
    entry.value = [...others, timer].sort((a, b) => (a.name < b.name ? -1 : 1))
    this.walk.added(at)
  }

  delete(at: EpochMs, key: Key, name: string): void {
    const list = this.store.group(at)?.get(key)
    if (list?.some((timer) => timer.name === name))
      this.keep(
        at,
        key,
        list.filter((timer) => timer.name !== name),
      )
  }

  /** Takes the next timer of time `at`, which is the first. */
  take(at: EpochMs): { readonly key: Key; readonly timer: QueuedTimer } | undefined {
    const key = this.walk.key(at)
    if (key === undefined) return undefined
    const [timer, ...rest] = this.store.group(at)!.get(key)!
    this.keep(at, key, rest)
    return { key, timer: timer! }
  }

  private keep(at: EpochMs, key: Key, list: readonly QueuedTimer[]): void {
    if (list.length === 0) this.store.group(at)?.remove(key)
    else this.store.openGroup(at).put(key, list)
  }
}
