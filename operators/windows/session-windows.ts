import { assert } from '../../engine/assert.ts'
import { compareKeys, type EpochMs, type Key } from '../../engine/model/record.ts'
import type { Entry, Group, Store } from '../../engine/ports/state.ts'
import type { OperatorContext, TaskTime } from '../../engine/task/operator.ts'
import type { Accumulator, CompiledAggregate } from '../aggregates/compile.ts'
import { DueKeys } from './due-keys.ts'
import type { OpenWindows } from './early-state.ts'
import { Results, type WindowResult } from './results.ts'
import type { SessionSpec, WindowInfo } from './spec.ts'
import { WindowTime } from './window-time.ts'

/** A session from its first record to `gap` after its last. */
interface Session {
  first: EpochMs
  last: EpochMs
  /** Its result was emitted as it is now. */
  fired: boolean
  acc: Accumulator
}

interface Due {
  readonly key: Key
  readonly first: EpochMs
  readonly end: EpochMs
}

/** All sessions are one group of the store: by key alone. */
const all = 0

/**
 * Sessions: each record claims [time, time + gap); claims of a key that overlap are one window.
 * Owns: the store of its name, the open sessions of each key by their start. The due keys are derived from it.
 * Invariants: I1 sessions of a key don't overlap; I2 each has its key among the due keys no later than its next change by time: its end while it has
 * not fired, else just after its end + allowed lateness; I3 `fired` sessions end at or before `time.fired`; the others are above, except while firing.
 */
export class SessionWindows<T, Row> implements OpenWindows {
  private readonly context: OperatorContext
  private readonly aggregate: CompiledAggregate<T, Row>
  private readonly results: Results<T, Row>
  private readonly store: Store<Session[]>
  private readonly time: WindowTime
  private readonly gapMs: number
  private readonly lateness: number
  private readonly dueKeys: DueKeys
  /** What is being fired, in order. Taken from the due keys; made again after a restart. */
  private firing: readonly Due[] = []
  private next = 0

  constructor(spec: SessionSpec, aggregate: CompiledAggregate<T, Row>, context: OperatorContext) {
    this.context = context
    this.aggregate = aggregate
    this.results = new Results(context, aggregate)
    this.store = context.stores.store<Session[]>(context.name)
    this.time = new WindowTime(spec)
    this.gapMs = spec.gapMs
    this.lateness = spec.allowedLatenessMs
    this.dueKeys = new DueKeys(Math.max(1, spec.gapMs / 256))
  }

  process(value: unknown): void {
    const { moment } = this.context
    const { time, lateness } = this
    assert(!moment.retract, 'a record taken back came to a session window')
    const at = time.of(moment)
    if (at + lateness < time.stamp(moment)) {
      this.context.late(value, 'late')
      return
    }
    // Judged like the stamp, before merging: a session it could join may be gone from here on.
    if (at + lateness < time.fired) {
      this.context.late(value, time.closedReason(moment))
      return
    }
    const key = moment.key!
    const group = this.store.openGroup(all)
    const entry = group.edit(key)
    const sessions = entry.value
    let acc: Accumulator
    try {
      if (sessions !== undefined && this.extend(sessions, at, value as T)) return
      acc = this.aggregate.create(value as T)
    } catch (error) {
      if (sessions === undefined) group.remove(key)
      this.context.bad(value, error)
      return
    }
    this.join(entry, { first: at, last: at, fired: false, acc })
  }

  advance(time: TaskTime): boolean {
    const now = this.time.now(time)
    if (this.next < this.firing.length || this.dueKeys.earliest <= now) {
      this.results.begin(time)
      if (!this.fire(now)) return false
      this.collect(now)
      if (!this.fire(now)) return false
    }
    this.time.fired = Math.max(this.time.fired, now)
    return true
  }

  save(): { readonly fired: EpochMs } | undefined {
    const { fired } = this.time
    return fired === Number.NEGATIVE_INFINITY ? undefined : { fired }
  }

  load(saved: unknown): void {
    this.time.fired = (saved as { fired: EpochMs }).fired
  }

  open(): void {
    const group = this.store.group(all)
    if (group === undefined) return
    for (const key of group.keys()) for (const session of group.get(key)!) this.dueKeys.add(this.dueAt(session), key)
  }

  nextProcessingDue(): EpochMs {
    return this.time.processing ? this.dueKeys.earliest : Number.POSITIVE_INFINITY
  }

  value({ key, start }: WindowInfo): Accumulator | undefined {
    return this.store
      .group(all)
      ?.get(key)
      ?.find(({ first }) => first === start)?.acc
  }

  /** The sessions of a key that have not fired. */
  openSessions(key: Key): WindowInfo[] {
    const sessions = this.store.group(all)?.get(key) ?? []
    return sessions.filter(({ fired }) => !fired).map(({ first, last }) => ({ key, start: first, end: last + this.gapMs }))
  }

  /** The usual case: the key's only session goes on. Changes nothing when it throws. */
  private extend(sessions: readonly Session[], at: EpochMs, record: T): boolean {
    if (sessions.length !== 1) return false
    const session = sessions[0]!
    if (session.fired || at <= session.first - this.gapMs || at >= session.last + this.gapMs) return false
    this.aggregate.add(session.acc, record)
    if (at > session.last) session.last = at
    else if (at < session.first) session.first = at
    return true
  }

  /** Adds a session of one record, usually the key's first. */
  private join(entry: Entry<Session[]>, claim: Session): void {
    const { key, value: sessions } = entry
    if (sessions === undefined && claim.last + this.gapMs > this.time.fired) {
      entry.value = [claim]
      this.dueKeys.add(claim.last + this.gapMs, key)
      return
    }
    this.joinOthers(entry, sessions ?? [], claim)
  }

  /** Merges a new session with those it overlaps; takes back what they gave, and fires it when its time is over already. */
  private joinOthers(entry: Entry<Session[]>, sessions: readonly Session[], claim: Session): void {
    const { key } = entry
    const overlapping = sessions.filter(({ first, last }) => first < claim.last + this.gapMs && claim.first < last + this.gapMs)
    const old = overlapping.filter(({ fired }) => fired).map((session) => this.resultOf(key, session))
    let joined = claim
    for (const session of overlapping.reverse()) {
      // Earlier records first.
      this.aggregate.merge(session.acc, joined.acc)
      joined = { first: Math.min(session.first, joined.first), last: Math.max(session.last, joined.last), fired: false, acc: session.acc }
    }
    joined.fired = joined.last + this.gapMs <= this.time.fired
    entry.value = [...sessions.filter((session) => !overlapping.includes(session)), joined].sort((a, b) => a.first - b.first)
    this.dueKeys.add(this.dueAt(joined), key)
    for (const result of old) this.results.replace(result, undefined)
    if (joined.fired) this.results.replace(undefined, this.resultOf(key, joined))
  }

  private resultOf(key: Key, { first, last, acc }: Session): WindowResult<Row> | undefined {
    return this.results.of(key, first, last + this.gapMs, acc)
  }

  /** When time has something to do for it: to fire it, or later to forget it. */
  private dueAt({ last, fired }: Session): EpochMs {
    return last + this.gapMs + (fired ? this.lateness : 0)
  }

  /** Makes the list of what is due, in canonical order: end, key, start. Forgets the sessions that are closed. */
  private collect(now: EpochMs): void {
    if (this.dueKeys.earliest > now) return
    const due: Due[] = []
    const group = this.store.group(all)
    for (const key of this.dueKeys.take(now)) {
      const sessions = group?.get(key)
      if (group === undefined || sessions === undefined) continue
      let closed = 0
      for (const session of sessions) {
        const end = session.last + this.gapMs
        if (session.fired && end + this.lateness < now) closed++
        else if (session.fired || end > now) this.dueKeys.add(this.dueAt(session), key)
        else due.push({ key, first: session.first, end })
      }
      if (closed > 0) this.keep(group, key, (session) => !session.fired || session.last + this.gapMs + this.lateness >= now)
    }
    this.firing = due.sort((a, b) => a.end - b.end || compareKeys(a.key, b.key) || a.first - b.first)
    this.next = 0
  }

  /** Emits what is due. @returns false when the budget is used up before. */
  private fire(now: EpochMs): boolean {
    const { firing, context } = this
    if (firing.length === 0) return true
    const group = this.store.openGroup(all)
    for (; this.next < firing.length; this.next++) {
      if (context.budget.left <= 0) return false
      const { key, first, end } = firing[this.next]!
      const session = group.get(key)?.find((each) => each.first === first && each.last + this.gapMs === end)
      assert(session !== undefined, () => `session ${first}-${end} of ${key} changed while it was due`)
      this.results.due(key, first, end, session.acc)
      if (end + this.lateness < now || this.lateness === 0) this.keep(group, key, (each) => each.first !== first)
      else {
        for (const each of group.edit(key).value!) if (each.first === first) each.fired = true
        this.dueKeys.add(end + this.lateness, key)
      }
    }
    this.firing = []
    this.next = 0
    return true
  }

  private keep(group: Group<Session[]>, key: Key, kept: (session: Session) => boolean): void {
    const left = group.get(key)!.filter(kept)
    if (left.length === 0) group.remove(key)
    else group.edit(key).value = left
  }
}
