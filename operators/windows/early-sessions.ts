import type { EpochMs, Key } from '../../engine/model/record.ts'
import type { Store } from '../../engine/ports/state.ts'
import type { OperatorContext } from '../../engine/task/operator.ts'
import type { Accumulator } from '../aggregates/compile.ts'
import { DueKeys } from './due-keys.ts'
import { compareWindows, type EarlyState, type Standing } from './early-state.ts'
import type { SessionSpec, WindowInfo } from './spec.ts'

/** What is asked of the sessions themselves. */
interface Sessions {
  /** The sessions of a key that have not fired. */
  openSessions(key: Key): readonly WindowInfo[]
}

/** Marks and results are each one group of their store: by key alone. */
const all = 0

/**
 * Early results of sessions: a session may have grown since, or be several that have become one.
 * Invariant: each result that stands has its key among `ends` no later than its window's end.
 */
export class EarlySessions implements EarlyState {
  private readonly sessions: Sessions
  private readonly changes: Store<true>
  private readonly results: Store<readonly Standing[]>
  private readonly ends: DueKeys
  /** Windows that have come to their end, in order. Taken from `ends`; made again after a restart. */
  private over: readonly WindowInfo[] = []
  private next = 0

  constructor({ gapMs }: SessionSpec, { name, stores }: OperatorContext, sessions: Sessions) {
    this.sessions = sessions
    this.changes = stores.store(`${name}.changed`)
    this.results = stores.store(`${name}.early`)
    this.ends = new DueKeys(Math.max(1, gapMs / 256))
  }

  get marked(): boolean {
    return this.changes.firstGroup() !== undefined
  }

  get earliestEnd(): EpochMs {
    return this.ends.earliest
  }

  mark(_at: EpochMs, key: Key): void {
    const group = this.changes.openGroup(all)
    if (!group.has(key)) group.put(key, true)
  }

  changed(now: EpochMs): Iterator<WindowInfo, undefined> {
    const keys = this.changes.group(all)?.keys() ?? []
    const windows = keys.flatMap((key) => this.sessions.openSessions(key).filter(({ end }) => end > now))
    return windows.sort(compareWindows)[Symbol.iterator]()
  }

  clear(): void {
    this.changes.removeGroup(all)
  }

  forget(now: EpochMs): void {
    if (now === Number.POSITIVE_INFINITY) this.clear()
  }

  settle({ key, end }: WindowInfo): void {
    const group = this.changes.group(all)
    if (group?.has(key) === true && this.sessions.openSessions(key).every((session) => session.end <= end)) group.remove(key)
  }

  standing(window: WindowInfo): readonly Standing[] {
    return (
      this.results
        .group(all)
        ?.get(window.key)
        ?.filter((each) => within(each.window, window)) ?? []
    )
  }

  stand(window: WindowInfo, acc: Accumulator | undefined): void {
    const known = this.results.group(all)?.get(window.key)
    if (known === undefined && acc === undefined) return
    const others = known?.filter((each) => !within(each.window, window)) ?? []
    if (acc !== undefined) {
      this.results.openGroup(all).put(window.key, [...others, { window, acc }])
      this.ends.add(window.end, window.key)
    } else if (others.length > 0) this.results.openGroup(all).put(window.key, others)
    else this.results.group(all)!.remove(window.key)
  }

  overdue(now: EpochMs): WindowInfo | undefined {
    for (;;) {
      for (; this.next < this.over.length; this.next++) {
        const window = this.over[this.next]!
        if (this.resultsOf(window.key).some((each) => compareWindows(each.window, window) === 0)) return window
      }
      if (this.ends.earliest > now || !this.collect(now)) return undefined
    }
  }

  grownFrom(window: WindowInfo): WindowInfo | undefined {
    return this.sessions.openSessions(window.key).find((session) => within(window, session))
  }

  open(): void {
    for (const key of this.results.group(all)?.keys() ?? []) for (const { window } of this.resultsOf(key)) this.ends.add(window.end, key)
  }

  /** @returns whether there are any. */
  private collect(now: EpochMs): boolean {
    const over: WindowInfo[] = []
    for (const key of this.ends.take(now)) {
      for (const { window } of this.resultsOf(key)) {
        if (window.end <= now) over.push(window)
        else this.ends.add(window.end, key)
      }
    }
    this.over = over.sort(compareWindows)
    this.next = 0
    return over.length > 0
  }

  private resultsOf(key: Key): readonly Standing[] {
    return this.results.group(all)?.get(key) ?? []
  }
}

function within(inner: WindowInfo, outer: WindowInfo): boolean {
  return inner.start >= outer.start && inner.end <= outer.end
}
