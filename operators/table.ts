import { checkStorable } from '../engine/codec/value-codec.ts'
import { StreamError } from '../engine/errors.ts'
import type { EpochMs, Key } from '../engine/model/record.ts'
import type { Store } from '../engine/ports/state.ts'
import type { Moment, Operator, OperatorContext, TaskTime } from '../engine/task/operator.ts'
import { KeyWalk } from './key-walk.ts'
import { compareValues } from './value-order.ts'

/** A row, or the mark of a deleted one (value null), and the record it came from. */
export interface TableRow {
  readonly value: unknown
  readonly eventTime: EpochMs
  readonly rank: number
  readonly offset: number
}

export interface TablePlan {
  /** `offset`: read from a topic, as compaction keeps it. `time`: of a stream, by (event time, rank). */
  readonly order: 'offset' | 'time'
  /** How long, in event time, the mark of a deleted row keeps older records from bringing it back. */
  readonly deletedForMs: number
}

interface Withdrawn {
  readonly key: Key
  readonly row: TableRow
  readonly stamp: EpochMs
}

/** At most so many marks of deleted rows are removed at once. */
const removalsMax = 5000
const onlyGroup = ''

/**
 * Keeps the latest value of each key; null deletes it. Emits each value that became the latest, and null for a deletion.
 * A value that is taken back and not replaced at once by one of its time is deleted, until one of its time comes.
 * Owns: the stores `<name>` (rows by key) and `<name>.deleted` (marks by event time). Invariant: I1 of all records of a key (but those
 * older than a removed mark) the row is the one that comes last in the plan's order.
 */
export class TableOperator implements Operator {
  private readonly plan: TablePlan
  private readonly context: OperatorContext
  private readonly rows: Store<TableRow>
  private readonly deleted: Store<true>
  private readonly walk: KeyWalk
  /** The row that was taken back by the value before. */
  private withdrawn: Withdrawn | undefined = undefined

  constructor(plan: TablePlan, context: OperatorContext) {
    this.plan = plan
    this.context = context
    this.rows = context.stores.store(context.name)
    this.deleted = context.stores.store(`${context.name}.deleted`)
    this.walk = new KeyWalk(this.deleted)
  }

  process(value: unknown): void {
    const { moment } = this.context
    const { eventTime, rank, offset } = moment
    const key = this.keyFor(value)
    if (key === undefined) return
    const row: TableRow = { value, eventTime, rank, offset }
    const held = this.rows.group(onlyGroup)?.get(key)
    const { withdrawn } = this
    if (withdrawn !== undefined) {
      this.withdrawn = undefined
      // What replaces a withdrawn row counts whatever record caused it.
      if (!moment.retract && withdrawn.key === key && withdrawn.row.eventTime === eventTime) return this.put(key, row, held)
      this.delete(withdrawn.key, withdrawn.row, withdrawn.stamp)
      return this.process(value)
    }
    if (moment.retract) {
      if (held !== undefined && held.eventTime === eventTime && compareValues(held.value, value) === 0) {
        this.withdrawn = { key, row: held, stamp: moment.stamp }
      }
      return
    }
    if (held === undefined || this.follows(row, held)) this.put(key, row, held)
  }

  advance(time: TaskTime): boolean {
    const { withdrawn } = this
    this.withdrawn = undefined
    if (withdrawn !== undefined) this.delete(withdrawn.key, withdrawn.row, withdrawn.stamp)
    this.clean(time.watermark - this.plan.deletedForMs)
    return true
  }

  /** A slice may end before this operator's turn to advance. */
  save(): unknown {
    return this.withdrawn
  }

  load(saved: unknown): void {
    this.withdrawn = saved as Withdrawn
  }

  /** The key to keep a value by; undefined when it can't be kept. */
  private keyFor(value: unknown): Key | undefined {
    const { name: operator, moment } = this.context
    const { key } = moment
    try {
      if (key === undefined) throw new StreamError('KEY_INVALID', { operator, path: '$', message: 'a record of a table has no key' })
      // Also of a row that is not the latest: which is depends on what came before.
      checkStorable(value, { operator })
      return key
    } catch (error) {
      this.context.bad(value, error)
      return undefined
    }
  }

  private put(key: Key, row: TableRow, held: TableRow | undefined): void {
    this.rows.openGroup(onlyGroup).put(key, row)
    if (row.value === null) {
      this.deleted.openGroup(row.eventTime).put(key, true)
      this.walk.added(row.eventTime)
      if (held === undefined || held.value === null) return
    }
    this.context.emit(row.value)
  }

  /**
   * Deletes a row that was taken back, as the very first record of its time would: what replaces it may come behind other rows or in the next slice,
   * and whatever record caused it.
   */
  private delete(key: Key, row: TableRow, stamp: EpochMs): void {
    const { moment } = this.context
    const before = { key: moment.key, eventTime: moment.eventTime, stamp: moment.stamp, retract: moment.retract }
    setMoment(moment, { key, eventTime: row.eventTime, stamp, retract: false })
    this.put(key, { ...row, value: null, rank: Number.NEGATIVE_INFINITY }, row)
    setMoment(moment, before)
  }

  private follows(row: TableRow, held: TableRow): boolean {
    if (this.plan.order === 'offset') return row.offset >= held.offset
    if (row.eventTime !== held.eventTime) return row.eventTime > held.eventTime
    if (row.rank !== held.rank) return row.rank > held.rank
    // Results by time have no place in the log: their content decides.
    return row.offset >= 0 || held.offset >= 0 || compareValues(row.value, held.value) >= 0
  }

  private clean(time: EpochMs): void {
    for (let removed = 0; removed < removalsMax; removed++) {
      const at = this.walk.first()
      if (at === undefined || at >= time) return
      const key = this.walk.key(at)
      if (key === undefined) continue
      this.deleted.group(at)!.remove(key)
      const rows = this.rows.group(onlyGroup)
      const row = rows?.get(key)
      if (row !== undefined && row.value === null && row.eventTime === at) rows!.remove(key)
    }
  }
}

function setMoment(moment: Moment, fields: Pick<Moment, 'key' | 'eventTime' | 'stamp' | 'retract'>): void {
  moment.key = fields.key
  moment.eventTime = fields.eventTime
  moment.stamp = fields.stamp
  moment.retract = fields.retract
}
