import { assert } from '../../engine/assert.ts'
import type { EpochMs, Key } from '../../engine/model/record.ts'
import type { OperatorContext, TaskTime } from '../../engine/task/operator.ts'
import type { Accumulator, CompiledAggregate } from '../aggregates/compile.ts'
import type { OpenWindows } from './early-state.ts'
import { type KeyRun, LiveKeys } from './live-keys.ts'
import { PaneStore } from './pane-store.ts'
import { Results } from './results.ts'
import { RunningTotals } from './running-totals.ts'
import type { SlidingSpec, WindowInfo } from './spec.ts'
import { StackTotals } from './stack-totals.ts'
import type { PaneRange, Totals } from './totals.ts'
import { WindowTime } from './window-time.ts'

/** Totals that are looked up in one go. */
const batchMax = 64

interface Cursor {
  readonly fired: EpochMs
  /** The window that is being fired and the key that was emitted last. */
  readonly end?: EpochMs
  readonly after?: Key
}

/**
 * Sliding windows over shared panes: a record is added to one pane, and a firing costs by keys, not by keys times panes.
 * Owns: the pane store. Everything else is derived from it and made again in `open`: which keys a pane has, the live keys in order, their totals.
 * Invariants: I1 between calls `range` is what the next window has of the panes that entered: all before its `end`, which is the last end up to
 * `time.fired`; while a window is being fired, it is that window; I2 a key is listed once for each pane of `range` that has it, and `ahead` are the
 * panes behind it that have keys: which ones is asked of the store, in one go, when the pane enters;
 * I3 a total has the cells of its range and the apart parts that count from `range.end` or before; I4 `due` is not above the next end to fire.
 */
export class PanedWindows<T, Row> implements OpenWindows {
  private readonly context: OperatorContext
  private readonly results: Results<T, Row>
  private readonly panes: PaneStore<T>
  private readonly time: WindowTime
  private readonly lateness: number
  private readonly range: PaneRange = { from: Number.NEGATIVE_INFINITY, to: Number.NEGATIVE_INFINITY, end: Number.NEGATIVE_INFINITY }
  private readonly totals: Totals<KeyRun>
  private readonly runs = new Map<Key, KeyRun>()
  private readonly listed = new Map<number, KeyRun[]>()
  private readonly ahead = new Set<number>()
  /** The pane that was put there last. */
  private lastAhead = Number.NaN
  private readonly live = new LiveKeys<KeyRun>()
  /** Apart parts that don't count yet, by the end they count from. */
  private readonly pending = new Map<EpochMs, { readonly pane: number; readonly key: Key }[]>()
  private readonly batch = new Array<Accumulator | undefined>(batchMax).fill(undefined)
  private due = Number.POSITIVE_INFINITY
  /** Place in the live keys of the window being fired, or -1. */
  private next = -1
  /** The key of that window that was emitted last. Not the one before `next`: of a key that has come anew its former run may stand there, too. */
  private emitted: Key | undefined = undefined
  /** The pane of the last record, with its window ends. */
  private pane = Number.NaN
  /** As the store has it. A field for keys of both kinds: one for numbers alone would be boxed anew for each record that goes there. */
  private start: Key = ''
  private paneFrom = Number.NaN
  private paneTo = Number.NaN
  private firstEnd = 0

  constructor(spec: SlidingSpec, aggregate: CompiledAggregate<T, Row>, context: OperatorContext) {
    this.context = context
    this.results = new Results(context, aggregate)
    this.panes = new PaneStore(spec, aggregate, context.stores, context.name)
    this.time = new WindowTime(spec)
    this.lateness = spec.allowedLatenessMs
    const totals = aggregate.invertible ? RunningTotals : StackTotals
    this.totals = new totals(aggregate, this.panes, this.range) as unknown as Totals<KeyRun>
  }

  process(value: unknown): void {
    const { moment } = this.context
    const at = this.time.of(moment)
    if (this.time.belowClock(at)) {
      this.context.late(value, 'clock')
      return
    }
    if (!(at >= this.paneFrom && at < this.paneTo)) this.locate(at)
    const { firstEnd, time } = this
    assert(!moment.retract, 'a record taken back came to a window of shared panes')
    if (firstEnd + this.lateness > time.stamp(moment) && firstEnd > time.fired) {
      const key = moment.key!
      let fresh: boolean
      try {
        fresh = this.panes.add(this.start, key, value as T)
      } catch (error) {
        this.context.bad(value, error)
        return
      }
      if (fresh) this.arrived(key)
      return
    }
    this.processLate(value)
  }

  advance(time: TaskTime): boolean {
    const now = this.time.now(time)
    if (this.next < 0 && now < this.due && now <= this.time.fired) return true
    this.results.begin(time)
    while (this.next >= 0 || (this.due <= now && this.due !== Number.POSITIVE_INFINITY)) {
      if (this.next < 0) this.enterWindow(this.due)
      if (!this.fire()) return false
      this.time.fired = Math.max(this.time.fired, this.range.end)
      this.leaveTo(this.range.end)
      this.due = this.nextEnd()
    }
    this.time.fired = Math.max(this.time.fired, now)
    this.skipTo(this.panes.endUpTo(this.time.fired))
    this.dropClosed()
    return true
  }

  save(): Cursor | undefined {
    const { fired } = this.time
    if (this.next >= 0 && this.emitted !== undefined) return { fired, end: this.range.end, after: this.emitted }
    return fired === Number.NEGATIVE_INFINITY ? undefined : { fired }
  }

  load(saved: unknown): void {
    const { fired, end, after } = saved as Cursor
    this.time.fired = fired
    if (end !== undefined) {
      this.range.end = end
      this.emitted = after
    }
  }

  open(): void {
    const { panes, range } = this
    const firing = this.emitted !== undefined
    const end = firing ? range.end : panes.endUpTo(this.time.fired)
    range.end = end
    range.to = end / panes.paneMs
    range.from = (end + (firing ? 0 : panes.slideMs) - panes.sizeMs) / panes.paneMs
    for (const pane of panes.withKeys()) {
      if (pane < range.from) continue
      if (pane >= range.to) this.ahead.add(pane)
      else for (const key of panes.keys(pane)) this.list(pane, key)
      for (const { key, from } of panes.partsAfter(pane, end)) this.awaits(from, pane, key)
    }
    if (Number.isFinite(end)) for (const run of this.runs.values()) this.refresh(run)
    this.live.settle()
    if (firing) this.next = this.live.placeAfter(this.emitted!)
    this.due = this.nextEnd()
  }

  nextProcessingDue(): EpochMs {
    return this.time.processing ? this.due : Number.POSITIVE_INFINITY
  }

  value({ key, end }: WindowInfo): Accumulator | undefined {
    return this.panes.window(end, key)
  }

  private locate(at: EpochMs): void {
    const { panes } = this
    this.pane = Math.floor(at / panes.paneMs)
    this.paneFrom = this.pane * panes.paneMs
    this.paneTo = this.paneFrom + panes.paneMs
    this.start = this.paneFrom
    this.firstEnd = panes.firstEnd(this.pane)
  }

  /** A record that some windows of its pane don't take, or that have fired. */
  private processLate(value: unknown): void {
    const { context, time, panes, pane } = this
    const last = panes.lastEnd(pane)
    const stamp = time.stamp(context.moment)
    let allowed = this.firstEnd
    while (allowed <= last && allowed + this.lateness <= stamp) allowed += panes.slideMs
    let from = allowed
    while (from <= last && time.closed(from)) from += panes.slideMs
    if (from <= last && !this.count(value, from, Math.min(last, time.fired))) return
    // Also when it counts in later windows: a result lacks it that would have it, had its partition not been idle.
    if (allowed > last || from > allowed) context.late(value, allowed > last ? 'late' : time.closedReason(context.moment))
  }

  /** Adds the record to its pane, to count from the window that ends at `from` on, and replaces the results up to `fired`. @returns false when a function threw. */
  private count(value: unknown, from: EpochMs, fired: EpochMs): boolean {
    const { panes, pane, range } = this
    const key = this.context.moment.key!
    const resultOf = (end: EpochMs) => this.results.of(key, end - panes.sizeMs, end, panes.window(end, key))
    const old = []
    for (let end = from; end <= fired; end += panes.slideMs) old.push({ end, result: resultOf(end) })
    const known = panes.has(pane, key)
    try {
      if (from === this.firstEnd) panes.add(this.start, key, value as T)
      else panes.addApart(pane, key, from, value as T)
    } catch (error) {
      this.context.bad(value, error)
      return false
    }
    if (pane >= range.from) {
      if (!known) this.arrived(key)
      if (from > range.end) {
        this.awaits(from, pane, key)
        this.due = Math.min(this.due, from)
      } else {
        this.refresh(this.runs.get(key)!)
        // It may be the only key there is: the next window, which had been passed over, has it too.
        this.due = Math.min(this.due, range.end + panes.slideMs)
      }
    }
    for (const { end, result } of old) this.results.replace(result, resultOf(end))
    return true
  }

  /** The key is new in the pane of the record at hand. */
  private arrived(key: Key): void {
    const { pane } = this
    if (pane < this.range.to) this.list(pane, key)
    else if (pane !== this.lastAhead) {
      this.lastAhead = pane
      this.ahead.add(pane)
      this.due = Math.min(this.due, this.firstEnd)
    }
  }

  private list(pane: number, key: Key): void {
    const run = this.runWith(key)
    const runs = this.listed.get(pane)
    if (runs === undefined) this.listed.set(pane, [run])
    else runs.push(run)
  }

  /** The key's run, for one pane more. */
  private runWith(key: Key): KeyRun {
    let run = this.runs.get(key)
    if (run === undefined) this.runs.set(key, (run = this.totals.newRun(key)))
    run.panes++
    return run
  }

  private awaits(from: EpochMs, pane: number, key: Key): void {
    const parts = this.pending.get(from)
    if (parts === undefined) this.pending.set(from, [{ pane, key }])
    else parts.push({ pane, key })
  }

  private refresh(run: KeyRun): void {
    this.totals.refresh(run)
    if (!this.totals.empty(run)) this.live.add(run)
  }

  /** Brings in what the window that ends at `end` has more than the one before. */
  private enterWindow(end: EpochMs): void {
    const { panes, range, live } = this
    this.skipTo(end - panes.slideMs)
    range.end = end
    const to = end / panes.paneMs
    while (range.to < to) {
      live.settle()
      this.totals.paneEnters(range.to, live.runs, this.keysOf)
      this.enterPane(range.to)
      range.to++
    }
    for (const [from, parts] of this.pending) {
      if (from > end) continue
      for (const { key } of parts) this.refresh(this.runs.get(key)!)
      this.pending.delete(from)
    }
    live.settle()
    this.next = 0
    this.emitted = undefined
  }

  private readonly keysOf = (pane: number): readonly KeyRun[] => this.listed.get(pane) ?? []

  private enterPane(pane: number): void {
    if (!this.ahead.delete(pane)) return
    const { panes, totals, live } = this
    const runs = panes.keys(pane).map((key) => this.runWith(key))
    this.listed.set(pane, runs)
    const cells = panes.cells.group(pane * panes.paneMs)
    if (cells === undefined) return
    for (const run of runs) {
      const cell = cells.get(run.key)
      if (cell === undefined) continue
      totals.enter(run, cell)
      live.add(run)
    }
  }

  /** Emits the window of `range`, from `next` on. @returns false when the budget is used up before the last key. */
  private fire(): boolean {
    const { results, context, range, batch } = this
    const { keys } = this.live
    const { budget } = context
    const start = range.end - this.panes.sizeMs
    while (this.next < keys.length) {
      const count = this.totals.gather(this.live, this.next, batch)
      for (let i = 0; i < count; i++, this.next++) {
        const total = batch[i]
        // Keys that are not live any more stand here or not, as it happens: whether there is more to emit must not depend on them.
        if (total === undefined) continue
        if (budget.left <= 0) return false
        results.due(keys[this.next]!, start, range.end, total)
        this.emitted = keys[this.next]
      }
    }
    this.next = -1
    return true
  }

  /** Takes out the panes that the window after the one that ends at `end` doesn't have. */
  private leaveTo(end: EpochMs): void {
    const { panes, range, listed } = this
    const from = (end + panes.slideMs - panes.sizeMs) / panes.paneMs
    const first = range.from
    range.from = from
    if (from - first <= listed.size) for (let pane = first; pane < from; pane++) this.leavePane(pane)
    else for (const pane of [...listed.keys()].sort((a, b) => a - b)) if (pane < from) this.leavePane(pane)
  }

  private leavePane(pane: number): void {
    const runs = this.listed.get(pane)
    if (runs === undefined) return
    const { panes, totals, live } = this
    const start = pane * panes.paneMs
    const cells = panes.cells.group(start)
    const apart = panes.apart.group(start)
    for (let i = 0; i < runs.length; i++) {
      const run = runs[i]!
      totals.leave(run, pane, cells?.get(run.key), apart?.get(run.key))
      if (totals.empty(run)) live.drop(run)
      if (--run.panes === 0) this.runs.delete(run.key)
    }
    this.listed.delete(pane)
    if (this.lateness === 0) panes.remove(pane)
  }

  /** With no live keys, windows up to the one that ends at `end` are empty: passes over them. */
  private skipTo(end: EpochMs): void {
    const { panes, range } = this
    if (end <= range.end || !this.live.empty) return
    range.end = end
    range.to = Math.max(range.to, end / panes.paneMs)
    this.leaveTo(end)
  }

  private nextEnd(): EpochMs {
    if (!this.live.empty) {
      // Otherwise they would fire for ever.
      assert(this.listed.size > 0, () => `keys without panes after the window that ends at ${this.range.end}`)
      return this.range.end + this.panes.slideMs
    }
    let end = Number.POSITIVE_INFINITY
    for (const pane of this.ahead) end = Math.min(end, this.panes.firstEnd(pane))
    for (const from of this.pending.keys()) end = Math.min(end, from)
    return end
  }

  private dropClosed(): void {
    if (this.lateness === 0) return
    const { panes } = this
    for (const store of [panes.cells, panes.apart]) {
      for (;;) {
        const start = store.firstGroup() as number | undefined
        if (start === undefined || !this.time.closed(panes.lastEnd(start / panes.paneMs))) break
        store.removeGroup(start)
      }
    }
  }
}
