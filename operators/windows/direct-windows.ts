import { assert } from '../../engine/assert.ts'
import { compareKeys, type EpochMs, type Key } from '../../engine/model/record.ts'
import type { Store } from '../../engine/ports/state.ts'
import type { OperatorContext, TaskTime } from '../../engine/task/operator.ts'
import type { Accumulator, CompiledAggregate } from '../aggregates/compile.ts'
import type { OpenWindows } from './early-state.ts'
import { Results } from './results.ts'
import type { SlidingSpec, WindowInfo } from './spec.ts'
import { WindowTime } from './window-time.ts'

/** Where firing stopped within a window: the key that was emitted last. */
interface Cursor {
  readonly fired: EpochMs
  readonly end?: EpochMs
  readonly after?: Key
}

/**
 * Windows that keep an accumulator for each (end, key): a record goes to every window it counts in, so this is for tumbling windows, where
 * that is one, and for those whose input takes records back.
 * Owns: the store of its name. Invariants: I1 entries have records; I2 with end <= fired they have been emitted as they are;
 * I3 no entry's window is closed, after `advance` has returned true.
 */
export class DirectWindows<T, Row> implements OpenWindows {
  private readonly context: OperatorContext
  private readonly aggregate: CompiledAggregate<T, Row>
  private readonly results: Results<T, Row>
  private readonly store: Store<Accumulator>
  private readonly time: WindowTime
  private readonly sizeMs: number
  private readonly slideMs: number
  private readonly lateness: number
  /** The record at hand's first and last window end, valid for times in [from, to). */
  private from = Number.NaN
  private to = Number.NaN
  private firstEnd = 0
  private lastEnd = 0
  /** The window that is being fired: what is left of its keys. Made again from the cursor after a restart. */
  private firing: { end: EpochMs; keys: readonly Key[]; next: number } | undefined = undefined
  private after: { end: EpochMs; key: Key } | undefined = undefined

  constructor(spec: SlidingSpec, aggregate: CompiledAggregate<T, Row>, context: OperatorContext) {
    this.context = context
    this.aggregate = aggregate
    this.results = new Results(context, aggregate)
    this.store = context.stores.store<Accumulator>(context.name)
    this.time = new WindowTime(spec)
    this.sizeMs = spec.sizeMs
    this.slideMs = spec.slideMs
    this.lateness = spec.allowedLatenessMs
  }

  process(value: unknown): void {
    const { moment } = this.context
    const at = this.time.of(moment)
    if (this.time.belowClock(at)) {
      this.context.late(value, 'clock')
      return
    }
    if (!(at >= this.from && at < this.to)) this.locate(at)
    const stamp = this.time.stamp(moment)
    const { firstEnd, lastEnd } = this
    if (firstEnd === lastEnd && firstEnd + this.lateness > stamp && firstEnd > this.time.fired && !moment.retract) {
      this.add(firstEnd, moment.key!, value)
      return
    }
    this.processEach(value, stamp)
  }

  advance(time: TaskTime): boolean {
    const now = this.time.now(time)
    if (now <= this.time.fired && this.firing === undefined && this.after === undefined) return true
    this.results.begin(time)
    for (;;) {
      const end = this.nextDue(now)
      if (end === undefined) break
      if (!this.fire(end)) return false
      if (this.lateness === 0) this.store.removeGroup(end)
      else this.time.fired = Math.max(this.time.fired, end)
    }
    this.time.fired = Math.max(this.time.fired, now)
    this.dropClosed()
    return true
  }

  save(): Cursor | undefined {
    const { fired } = this.time
    if (this.after !== undefined) return { fired, end: this.after.end, after: this.after.key }
    return fired === Number.NEGATIVE_INFINITY ? undefined : { fired }
  }

  load(saved: unknown): void {
    const { fired, end, after } = saved as Cursor
    this.time.fired = fired
    if (end !== undefined) this.after = { end, key: after! }
  }

  nextProcessingDue(): EpochMs {
    if (!this.time.processing) return Number.POSITIVE_INFINITY
    const first = this.store.firstGroup()
    return first === undefined ? Number.POSITIVE_INFINITY : (first as number)
  }

  value({ key, end }: WindowInfo): Accumulator | undefined {
    return this.store.group(end)?.get(key)
  }

  private locate(at: EpochMs): void {
    const { sizeMs, slideMs } = this
    const lastStart = Math.floor(at / slideMs) * slideMs
    // Windows that hold `at` begin in (at - size, at].
    const firstStart = Math.floor((at - sizeMs) / slideMs + 1) * slideMs
    this.firstEnd = firstStart + sizeMs
    this.lastEnd = lastStart + sizeMs
    // They are the same up to the next start, and up to the first end.
    this.from = Math.max(lastStart, firstStart + sizeMs - slideMs)
    this.to = Math.min(lastStart + slideMs, this.firstEnd)
  }

  /** The general case: several windows, some of them late, closed or fired, or a record that is taken back. */
  private processEach(value: unknown, stamp: EpochMs): void {
    const { context, time } = this
    let late = true
    let diverted = false
    for (let end = this.firstEnd; end <= this.lastEnd; end += this.slideMs) {
      if (end + this.lateness <= stamp) continue
      late = false
      if (time.closed(end)) diverted = true
      else if (context.moment.retract && this.store.group(end)?.has(context.moment.key!) !== true) diverted = true
      else if (!this.change(end, context.moment.key!, value)) return
    }
    // Also when it counts in other windows: a result lacks it that would have it, had its partition not been idle.
    if (late || diverted) context.late(value, late ? 'late' : time.closedReason(context.moment))
  }

  /** Adds the record to a window or takes it back. @returns false when the job's function threw. */
  private change(end: EpochMs, key: Key, value: unknown): boolean {
    if (end > this.time.fired) return this.context.moment.retract ? this.remove(end, key, value) : this.add(end, key, value)
    const start = end - this.sizeMs
    const old = this.results.of(key, start, end, this.store.group(end)?.get(key))
    const changed = this.context.moment.retract ? this.remove(end, key, value) : this.add(end, key, value)
    if (changed) this.results.replace(old, this.results.of(key, start, end, this.store.group(end)?.get(key)))
    return changed
  }

  private add(end: EpochMs, key: Key, value: unknown): boolean {
    const group = this.store.openGroup(end)
    const entry = group.edit(key)
    const acc = entry.value
    try {
      if (acc === undefined) entry.value = this.aggregate.create(value as T)
      else this.aggregate.add(acc, value as T)
      return true
    } catch (error) {
      if (acc === undefined) group.remove(key)
      this.context.bad(value, error)
      return false
    }
  }

  private remove(end: EpochMs, key: Key, value: unknown): boolean {
    const group = this.store.openGroup(end)
    const acc = group.edit(key).value!
    try {
      this.aggregate.remove(acc, value as T)
    } catch (error) {
      this.context.bad(value, error)
      return false
    }
    if (acc.n === 0) group.remove(key)
    return true
  }

  /** The lowest end up to `now` that has not been fired to its last key. */
  private nextDue(now: EpochMs): EpochMs | undefined {
    const begun = this.firing?.end ?? this.after?.end
    if (begun !== undefined) return begun
    const end = this.lateness === 0 ? this.store.firstGroup() : this.store.groups()[this.firstNotFired()]
    return end !== undefined && (end as number) <= now ? (end as number) : undefined
  }

  /** Fired windows that still take late records stand before it. */
  private firstNotFired(): number {
    const ends = this.store.groups()
    let from = 0
    let to = ends.length
    while (from < to) {
      const middle = (from + to) >>> 1
      if ((ends[middle] as number) <= this.time.fired) from = middle + 1
      else to = middle
    }
    return from
  }

  /** @returns false when the budget is used up before the last key. */
  private fire(end: EpochMs): boolean {
    const group = this.store.group(end)
    assert(group !== undefined, () => `window ${end} is due and has no keys`)
    const firing = (this.firing ??= { end, keys: group.keys(), next: 0 })
    const { keys } = firing
    const { budget } = this.context
    if (this.after !== undefined) while (firing.next < keys.length && compareKeys(keys[firing.next]!, this.after.key) <= 0) firing.next++
    const start = end - this.sizeMs
    while (firing.next < keys.length) {
      if (budget.left <= 0) {
        if (firing.next > 0) this.after = { end, key: keys[firing.next - 1]! }
        return false
      }
      const key = keys[firing.next++]!
      this.results.due(key, start, end, group.get(key)!)
    }
    this.firing = undefined
    this.after = undefined
    return true
  }

  private dropClosed(): void {
    if (this.lateness === 0) return
    for (;;) {
      const end = this.store.firstGroup()
      if (end === undefined || !this.time.closed(end as number)) return
      this.store.removeGroup(end)
    }
  }
}
