import { expect } from 'vitest'
import { compareKeys } from '../../engine/model/record.ts'
import type { Stores } from '../../engine/ports/state.ts'
import type { LateReason, Moment, Operator, OperatorContext } from '../../engine/task/operator.ts'
import type { WindowOutput } from '../../operators/windows/spec.ts'
import { MemoryStores } from './memory-stores.ts'
import type { Random } from './random.ts'
import type { JudgedRecord } from './window-oracle.ts'

export interface LogRecord {
  readonly id: number
  readonly key: string | number
  readonly time: number
  readonly value: number
}

/** The input of a task: the records of each partition and how far out of order they come. */
export interface Partition {
  readonly records: readonly LogRecord[]
  readonly outOfOrderness: number
}

export interface Emitted {
  readonly key: string | number
  readonly start: number
  readonly end: number
  readonly row: Readonly<Record<string, unknown>>
  readonly early?: true
  readonly retract: boolean
  readonly eventTime: number
  readonly stamp: number
}

export interface Step {
  readonly partition: number
  readonly record: LogRecord
}

/** What a task reads between two moves of time, and which partitions are idle at its end. */
export interface Slice {
  readonly steps: readonly Step[]
  readonly idle: ReadonlySet<number>
}

export interface RunOptions {
  /** Results a call of `advance` may emit; drawn anew for each. Absent: no bound. */
  readonly budget?: () => number
  /** Whether to start over from the stores at this point: after each call of `advance`. */
  readonly crash?: () => boolean
  /** Called at the start and after each crash with the names of the stores that have entries. */
  readonly onStores?: (names: readonly string[]) => void
  /** Called when time has moved: with all that was emitted and taken so far. */
  readonly onTime?: (from: number, to: number, emitted: readonly Emitted[], judged: readonly JudgedRecord[]) => void
}

export interface RunResult {
  readonly emitted: readonly Emitted[]
  readonly late: readonly { readonly id: number; readonly reason: LateReason }[]
  /** The records as their fate is judged: for the oracle. */
  readonly judged: readonly JudgedRecord[]
  readonly bad: readonly unknown[]
}

/** Cuts the partitions into slices, in random bursts: every call another interleaving of the same log. */
export function interleave(partitions: readonly Partition[], random: Random, idleChance = 0): Slice[] {
  const positions = partitions.map(() => 0)
  const slices: Slice[] = []
  let steps: Step[] = []
  const cut = () => {
    const idle = new Set(partitions.map((_, p) => p).filter(() => random.chance(idleChance)))
    slices.push({ steps, idle })
    steps = []
  }
  for (;;) {
    const left = partitions.map((_, p) => p).filter((p) => positions[p]! < partitions[p]!.records.length)
    if (left.length === 0) break
    const partition = left[random.int(left.length)]!
    for (let burst = 1 + random.int(4); burst > 0; burst--) {
      const record = partitions[partition]!.records[positions[partition]!]
      if (record === undefined) break
      positions[partition]!++
      steps.push({ partition, record })
      if (random.chance(0.4)) cut()
    }
  }
  cut()
  return slices
}

/** Runs an operator over slices as a task does, then completes its input. In memory; `runSteps` says how a restart comes about elsewhere. */
export function runWindows(
  make: (context: OperatorContext) => Operator,
  partitions: readonly Partition[],
  slices: readonly Slice[],
  options: RunOptions = {},
): RunResult & { readonly stores: MemoryStores } {
  let stores = new MemoryStores()
  const steps = runSteps(make, partitions, slices, { ...options, stores })
  for (;;) {
    options.onStores?.(stores.names())
    const step = steps.next(stores)
    if (step.done === true) return { ...step.value, stores }
    stores = stores.restored()
  }
}

/** The same, step by step: yields what the operator saves at each crash and takes the stores it finds afterwards. */
export function* runSteps(
  make: (context: OperatorContext) => Operator,
  partitions: readonly Partition[],
  slices: readonly Slice[],
  options: RunOptions & { readonly stores: Stores },
): Generator<unknown, RunResult, Stores> {
  const highest = partitions.map(() => Number.NEGATIVE_INFINITY)
  const emitted: Emitted[] = []
  const late: { id: number; reason: LateReason }[] = []
  const judged: JudgedRecord[] = []
  const bad: unknown[] = []
  const moment: Moment = {
    key: undefined,
    eventTime: 0,
    stamp: 0,
    appendTime: 0,
    topic: 't',
    partition: 0,
    offset: 0,
    rank: 0,
    retract: false,
    headers: () => [],
  }
  const budget = { left: 0 }
  let advancing = false
  let time = { watermark: Number.NEGATIVE_INFINITY, processing: Number.NEGATIVE_INFINITY }
  let { stores } = options
  const start = (): Operator =>
    make({
      name: 'w',
      moment,
      stores,
      emit(value) {
        const { row, window } = value as WindowOutput<Record<string, unknown>>
        expect(moment.key).toBe(window.key)
        if (advancing) expect(budget.left, 'emitted without budget').toBeGreaterThan(0)
        emitted.push({ ...window, row, retract: moment.retract, eventTime: moment.eventTime, stamp: moment.stamp })
        // As a topic counts, which writes nothing for what is taken back.
        if (!moment.retract) budget.left--
      },
      emitTo() {},
      late(value, reason) {
        late.push({ id: (value as LogRecord).id, reason })
      },
      bad(value) {
        bad.push(value)
      },
      budget,
      get time() {
        return time
      },
      present() {},
    })
  let operator = start()
  operator.open?.()
  function* moveTo(watermark: number): Generator<unknown, void, Stores> {
    const before = emitted.length
    const next = { watermark, processing: watermark }
    for (;;) {
      advancing = true
      const done = operator.advance!(next)
      advancing = false
      if (options.crash?.() === true) {
        const saved = structuredClone(operator.save?.())
        stores = yield saved
        operator = start()
        if (saved !== undefined) operator.load!(saved)
        operator.open?.()
      }
      if (done) break
      expect(budget.left).toBeLessThanOrEqual(0)
      budget.left = options.budget?.() ?? Number.POSITIVE_INFINITY
    }
    expectInOrder(emitted.slice(before), time.watermark, watermark)
    options.onTime?.(time.watermark, watermark, emitted, judged)
    time = next
  }
  for (const { steps, idle } of slices) {
    budget.left = options.budget?.() ?? Number.POSITIVE_INFINITY
    for (const { partition, record } of steps) {
      const stamp = highest[partition]! - partitions[partition]!.outOfOrderness
      Object.assign(moment, { key: record.key, eventTime: record.time, stamp, appendTime: record.time, partition, retract: false })
      judged.push({ ...record, stamp, fired: time.watermark })
      const before = emitted.length
      operator.process(record, 0)
      for (const update of emitted.slice(before)) expect(update.stamp).toBe(stamp)
      expect(moment).toMatchObject({ key: record.key, eventTime: record.time, stamp, retract: false })
      highest[partition] = Math.max(highest[partition]!, record.time)
    }
    const active = highest.map((high, p) => high - partitions[p]!.outOfOrderness).filter((_, p) => !idle.has(p))
    if (active.length > 0) yield* moveTo(Math.max(time.watermark, Math.min(...active)))
  }
  budget.left = options.budget?.() ?? Number.POSITIVE_INFINITY
  yield* moveTo(Number.POSITIVE_INFINITY)
  return { emitted, late, judged, bad }
}

/**
 * Results by time: as soon as time has come to the end, by end, key, start; each just before its window's end. Early ones are of windows that have not
 * ended, and are taken back before they do; what caused them was passed just now.
 */
function expectInOrder(all: readonly Emitted[], from: number, to: number): void {
  const results = all.filter(({ early }) => early !== true)
  const inOrder = results.toSorted((a, b) => a.end - b.end || compareKeys(a.key, b.key) || a.start - b.start)
  expect(results).toEqual(inOrder)
  for (const { stamp, end, retract } of results) {
    expect({ stamp, retract, due: end > from && end <= to }).toEqual({ stamp: end - 1, retract: false, due: true })
  }
  for (const { stamp, end, retract, early } of all) {
    if (early !== true) continue
    const inTime = stamp + 1 > from && stamp + 1 <= to && stamp < end && (retract ? end > from : end > to)
    expect({ stamp, end, retract, inTime }).toEqual({ stamp, end, retract, inTime: true })
  }
}

/**
 * The rows that stand in the end. Checks on the way that each retraction takes back exactly what was emitted last for its window, and that nothing is
 * emitted twice.
 */
export function finalRows(emitted: readonly Emitted[]): Map<string, Emitted> {
  const standing = new Map<string, Emitted>()
  for (const result of emitted) {
    const name = `${typeof result.key}${result.key}@${result.start}-${result.end}`
    expect(result.eventTime).toBe(result.end - 1)
    if (result.retract) {
      expect(standing.get(name)?.row, `taken back: ${name}`).toEqual(result.row)
      expect(standing.get(name)?.early, `taken back: ${name}`).toBe(result.early)
      standing.delete(name)
    } else {
      expect(standing.has(name), `emitted twice: ${name}`).toBe(false)
      standing.set(name, result)
    }
  }
  return standing
}

/** Random partitions: times mostly rise, some far back; a few keys of both types. */
export function randomPartitions(random: Random, { step = 9, back = 16, from = 0 } = {}): Partition[] {
  let id = 0
  return Array.from({ length: 1 + random.int(3) }, () => {
    let base = from
    const records = Array.from({ length: 3 + random.int(12) }, (): LogRecord => {
      base += random.int(step)
      const time = base - (random.chance(0.35) ? random.int(back) : 0)
      const key = random.chance(0.3) ? `k${random.int(2)}` : random.int(3)
      return { id: id++, key, time, value: (random.int(2 ** 30) - 2 ** 29) * 2 ** -random.int(40) }
    })
    return { records, outOfOrderness: [0, 2, 5][random.int(3)]! }
  })
}
