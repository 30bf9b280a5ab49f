import { codeOf } from '../../engine/errors.ts'
import { compareKeys, type Header, type Key } from '../../engine/model/record.ts'
import {
  type LateReason,
  type Moment,
  type Operator,
  type OperatorContext,
  type OperatorFactory,
  rankOf,
} from '../../engine/task/operator.ts'
import { MemoryStores } from './memory-stores.ts'
import type { Partition, Slice } from './window-run.ts'

/** What an operator passed on, with what `moment` said of it. */
export interface Passed {
  /** '' for `emit`, else the port of `emitTo`. */
  readonly port: string
  readonly value: unknown
  readonly key: Key | undefined
  readonly eventTime: number
  readonly stamp: number
  readonly topic: string
  readonly offset: number
  readonly retract: boolean
}

/** A record by hand; fields left out have plain values. */
export type AtHand = Partial<Omit<Moment, 'headers'>> & { readonly headers?: readonly Header[] }

/**
 * One operator with a task made of plain values around it. `bad` follows the task: API_NOT_ALLOWED is thrown, all else is noted.
 * `strict` is on: a value of state that is changed in place is found.
 */
export class OperatorRun {
  readonly passed: Passed[] = []
  readonly late: { readonly value: unknown; readonly reason: LateReason }[] = []
  readonly bad: { readonly value: unknown; readonly error: unknown }[] = []
  readonly presents: number[] = []
  readonly budget = { left: Number.POSITIVE_INFINITY }
  readonly moment: Moment = {
    key: undefined,
    eventTime: 0,
    stamp: Number.NEGATIVE_INFINITY,
    appendTime: 0,
    topic: 't',
    partition: 0,
    offset: 0,
    rank: 0,
    retract: false,
    headers: () => [],
  }
  /** Results passed on although the budget was used up. */
  overdrawn = 0
  time = { watermark: Number.NEGATIVE_INFINITY, processing: Number.NEGATIVE_INFINITY }
  stores = new MemoryStores()
  operator: Operator
  private readonly make: OperatorFactory
  private readonly name: string

  constructor(make: OperatorFactory, name = 'op') {
    this.make = make
    this.name = name
    this.operator = this.start()
  }

  /** The values passed on by `emit`. */
  get emitted(): unknown[] {
    return this.passed.map(({ value }) => value)
  }

  record(value: unknown, { headers = [], ...fields }: AtHand = {}, input = 0): void {
    const plain = { key: 'k', eventTime: 0, stamp: Number.NEGATIVE_INFINITY, topic: 't', partition: 0, offset: 0, retract: false }
    Object.assign(
      this.moment,
      plain,
      { appendTime: fields.eventTime ?? 0, rank: rankOf(0, fields.partition ?? 0, fields.offset ?? 0) },
      fields,
    )
    this.moment.headers = () => headers
    this.operator.process(value, input)
  }

  /** Moves time; calls `advance` until it is done. @returns the number of calls. */
  moveTo(
    watermark: number,
    processing: number = watermark,
    budget: () => number = () => Number.POSITIVE_INFINITY,
    between: () => void = () => {},
  ): number {
    // As the task does: nothing is at hand.
    Object.assign(this.moment, { key: undefined, topic: '', partition: 0, offset: -1, rank: 0, retract: false, headers: () => [] })
    const next = { watermark, processing }
    for (let calls = 1; ; calls++) {
      const done = this.operator.advance?.(next) ?? true
      between()
      if (done) {
        this.time = next
        return calls
      }
      if (this.budget.left > 0) throw new Error('stopped with budget left')
      this.budget.left = budget()
    }
  }

  /** What a process finds that starts from a checkpoint taken now. */
  restart(): void {
    const saved = structuredClone(this.operator.save?.())
    this.stores = this.stores.restored()
    this.operator = this.start()
    if (saved !== undefined) this.operator.load?.(saved)
    this.operator.open?.()
  }

  private start(): Operator {
    const run = this
    const context: OperatorContext = {
      name: this.name,
      moment: this.moment,
      stores: this.stores,
      strict: true,
      emit: (value) => run.pass('', value),
      emitTo: (port, value) => run.pass(port, value),
      late: (value, reason) => void run.late.push({ value, reason }),
      bad(value, error) {
        if (codeOf(error) === 'API_NOT_ALLOWED') throw error
        run.bad.push({ value, error })
      },
      budget: this.budget,
      get time() {
        return run.time
      },
      present: (time) => void run.presents.push(time),
    }
    return this.make(context)
  }

  private pass(port: string, value: unknown): void {
    const { key, eventTime, stamp, topic, offset, retract } = this.moment
    this.passed.push({ port, value: structuredClone(value), key, eventTime, stamp, topic, offset, retract })
    if (this.budget.left-- <= 0) this.overdrawn++
  }
}

export interface SliceRunOptions {
  /** Results a call of `advance` may emit; drawn anew for each. */
  readonly budget?: () => number
  /** Whether to start over from the stores at this point. */
  readonly crash?: () => boolean
}

/** Runs slices of partitions (window-run.ts) through an operator as a task does, then completes the input. @returns the last finite watermark. */
export function runSlices(
  run: OperatorRun,
  partitions: readonly Partition[],
  slices: readonly Slice[],
  options: SliceRunOptions = {},
): number {
  const highest = partitions.map(() => Number.NEGATIVE_INFINITY)
  const offsets = partitions.map(() => 0)
  const budget = options.budget ?? (() => Number.POSITIVE_INFINITY)
  const between = () => {
    if (options.crash?.() === true) run.restart()
  }
  for (const { steps, idle } of slices) {
    run.budget.left = budget()
    for (const { partition, record } of steps) {
      const stamp = highest[partition]! - partitions[partition]!.outOfOrderness
      run.record(
        { ...record, fired: run.time.watermark, stamp },
        { key: record.key, eventTime: record.time, stamp, partition, offset: offsets[partition]!++ },
      )
      highest[partition] = Math.max(highest[partition]!, record.time)
    }
    const active = highest.map((high, p) => high - partitions[p]!.outOfOrderness).filter((_, p) => !idle.has(p))
    const watermark = active.length === 0 ? run.time.watermark : Math.max(run.time.watermark, Math.min(...active))
    run.moveTo(watermark, watermark, budget, between)
  }
  const last = run.time.watermark
  run.budget.left = budget()
  run.moveTo(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, budget, between)
  return last
}

/** What was passed on for each key, in order; keys in canonical order. */
export function byKey<P extends { readonly key: Key | undefined }>(passed: readonly P[]): Map<Key, P[]> {
  const keys = [...new Set(passed.map(({ key }) => key!))].sort(compareKeys)
  return new Map(keys.map((key) => [key, passed.filter((one) => one.key === key)]))
}
