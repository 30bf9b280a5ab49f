import { compareKeys, type EpochMs, type Key } from '../../engine/model/record.ts'
import type { Store } from '../../engine/ports/state.ts'
import type { OperatorContext } from '../../engine/task/operator.ts'
import type { Accumulator } from '../aggregates/compile.ts'
import { KeyWalk } from '../key-walk.ts'
import type { EarlyState, Standing } from './early-state.ts'
import { greatestCommonDivisor } from './pane-store.ts'
import type { SlidingSpec, WindowInfo } from './spec.ts'

/** Early results of tumbling and sliding windows: marks by (start of the pane, key), results by (window end, key). */
export class EarlyFixed implements EarlyState {
  private readonly changes: Store<true>
  private readonly results: Store<Accumulator>
  private readonly walk: KeyWalk
  private readonly paneMs: number
  private readonly sizeMs: number
  private readonly slideMs: number

  constructor(spec: SlidingSpec, { name, stores }: OperatorContext) {
    this.changes = stores.store(`${name}.changed`)
    this.results = stores.store(`${name}.early`)
    this.walk = new KeyWalk(this.results)
    this.paneMs = greatestCommonDivisor(spec.sizeMs, spec.slideMs)
    this.sizeMs = spec.sizeMs
    this.slideMs = spec.slideMs
  }

  get marked(): boolean {
    return this.changes.firstGroup() !== undefined
  }

  get earliestEnd(): EpochMs {
    return this.walk.first() ?? Number.POSITIVE_INFINITY
  }

  mark(at: EpochMs, key: Key): void {
    const group = this.changes.openGroup(Math.floor(at / this.paneMs) * this.paneMs)
    if (!group.has(key)) group.put(key, true)
  }

  *changed(now: EpochMs): Iterator<WindowInfo, undefined> {
    const { sizeMs, slideMs } = this
    const ends = new Set<EpochMs>()
    for (const start of this.changes.groups() as readonly EpochMs[]) {
      for (let end = this.lastEnd(start); end > now && end > start; end -= slideMs) ends.add(end)
    }
    for (const end of [...ends].sort((a, b) => a - b)) for (const key of this.keysOf(end)) yield { key, start: end - sizeMs, end }
    return undefined
  }

  clear(): void {
    for (const start of [...this.changes.groups()]) this.changes.removeGroup(start)
  }

  forget(now: EpochMs): void {
    for (;;) {
      const start = this.changes.firstGroup() as EpochMs | undefined
      if (start === undefined || this.lastEnd(start) > now) return
      this.changes.removeGroup(start)
    }
  }

  settle(): void {}

  standing(window: WindowInfo): readonly Standing[] {
    const acc = this.results.group(window.end)?.get(window.key)
    return acc === undefined ? [] : [{ window, acc }]
  }

  stand({ key, end }: WindowInfo, acc: Accumulator | undefined): void {
    if (acc === undefined) this.results.group(end)?.remove(key)
    else this.results.openGroup(end).put(key, acc)
  }

  overdue(now: EpochMs): WindowInfo | undefined {
    for (;;) {
      const end = this.walk.first()
      if (end === undefined || end > now) return undefined
      const key = this.walk.key(end)
      if (key !== undefined) return { key, start: end - this.sizeMs, end }
    }
  }

  grownFrom(): undefined {
    return undefined
  }

  open(): void {}

  /** Of the last window with the pane that begins at `start`. */
  private lastEnd(start: EpochMs): EpochMs {
    return Math.floor(start / this.slideMs) * this.slideMs + this.sizeMs
  }

  /** Keys with a mark in a pane of the window, in order. */
  private keysOf(end: EpochMs): readonly Key[] {
    const { changes } = this
    const groups = (changes.groups() as readonly EpochMs[]).filter((start) => start < end && start >= end - this.sizeMs)
    if (groups.length === 1) return changes.group(groups[0]!)!.keys()
    const keys = new Set<Key>()
    for (const start of groups) for (const key of changes.group(start)!.keys()) keys.add(key)
    return [...keys].sort(compareKeys)
  }
}
