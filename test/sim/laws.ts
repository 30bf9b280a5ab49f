import type { EpochMs, LogRecord } from '../../engine/model/record.ts'
import type { JournalRecord, Totals } from '../../engine/model/slice.ts'
import type { Log } from '../../engine/ports/log.ts'
import type { JobPlan } from '../../engine/runtime/plan.ts'
import { chainHash } from '../../engine/task/digest.ts'
import { canonical } from '../../examples/reference.ts'
import type { Coverage } from './coverage.ts'
import { idOf, lastValues, parse, recordsOf } from './log-records.ts'
import type { Scenario } from './scenario.ts'

/** A law of the design that a run broke. */
export class LawBroken extends Error {
  constructor(law: string, what: string) {
    super(`${law}: ${what}`)
    this.name = 'LawBroken'
  }
}

/** L1, L2: what the job published is what one pass over its input gives, nothing missing, nothing twice. */
export function checkOutput(expected: readonly string[], found: readonly string[]): void {
  const missing = subtract(expected, found)
  const extra = subtract(found, expected)
  if (missing.length > 0)
    throw new LawBroken('L1 no record lost', `${missing.length} missing, first ${missing[0]}; ${extra.length} extra, first ${extra[0]}`)
  if (extra.length > 0) throw new LawBroken('L2 no effect twice', `${extra.length} extra, first ${extra[0]}`)
}

/** Whether a result is to be out once event time has come to `time`. A record waits until time is beyond its own; what has no time waits for none. */
export function isDue(row: unknown, time: EpochMs): boolean {
  const { end, at, id = 0 } = row as { end?: number; at?: number; id?: number }
  const timer = id < 0
  return end === undefined ? at === undefined || (timer ? at <= time : at < time) : end <= time
}

interface Given {
  readonly log: Log
  readonly scenario: Pick<Scenario, 'job' | 'input'>
  readonly plan: JobPlan
  readonly coverage: Coverage
}

/**
 * L1, L2, L3, once all input is processed: outputs, late records and dead letters are what brute force says.
 * @param dueBy of outputs only what is due by this event time.
 */
export async function checkGiven({ log, scenario, plan, coverage }: Given, dueBy = Number.POSITIVE_INFINITY) {
  const { job, input } = scenario
  const lateRecords = await recordsOf(log, plan.topics.late)
  const diverted = new Set(lateRecords.filter((record) => headerOf(record, 'reprise.reason') === 'idle').map(idOf))
  if (diverted.size > 0 && job.idleAfterMs === undefined) {
    throw new LawBroken('L3 independent of speed', `${diverted.size} records came too late for windows that no idle partition closed`)
  }
  const appendTimes = new Map<number, number>()
  for (const topic of job.sources) for (const record of await recordsOf(log, topic)) appendTimes.set(idOf(record), record.appendTime)
  const expected = job.expected(input, diverted, appendTimes)
  const exact = diverted.size === 0 || job.exactWithDiverted
  coverage.count('records late', expected.late.length)
  coverage.count('records diverted', diverted.size)
  coverage.count('records bad', expected.deadLetters.length + expected.skipped)
  for (const [topic, { kind, rows }] of Object.entries(expected.outputs)) {
    const records = await recordsOf(log, topic)
    const found = kind === 'stream' ? records.map(({ value }) => parse(value)) : lastValues(records)
    coverage.count('rows', found.length)
    if (kind === 'table') coverage.count('rows replaced', records.length - found.length)
    const due = (all: readonly unknown[]) => canonical(all.filter((row) => isDue(row, dueBy)))
    if (!exact) coverage.count('not told exactly')
    else {
      checkOutput(due(rows), due(found))
      coverage.count('rows told exactly', due(rows).length)
    }
  }
  if (exact) {
    checkOutput(
      canonical(expected.late),
      canonical(lateRecords.filter((record) => headerOf(record, 'reprise.reason') === 'late').map(idOf)),
    )
  }
  const deadLetters = await recordsOf(log, plan.topics.deadLetters)
  checkOutput(canonical(expected.deadLetters), canonical(deadLetters.map(idOf)))
  return { expected, exact, lateRecords }
}

/** The same of all outputs, and conservation: counts are what brute force says, too. */
export async function checkOutcome(given: Given, totals: Totals): Promise<void> {
  const { log, scenario } = given
  const { expected, exact, lateRecords } = await checkGiven(given)
  const records = Object.values(scenario.input).flat(2).length
  if (totals.in !== records || totals.in !== totals.processed + totals.skipped + totals.deadLettered) {
    throw new LawBroken('L1 no record lost', `${records} records were sent: ${JSON.stringify(totals)}`)
  }
  if (totals.skipped !== expected.skipped || totals.deadLettered !== expected.deadLetters.length) {
    throw new LawBroken('L1 no record lost', `${expected.skipped} records are to be skipped: ${JSON.stringify(totals)}`)
  }
  if (exact && (totals.late.late !== expected.late.length || totals.late.idle !== lateRecords.length - expected.late.length)) {
    throw new LawBroken('L1 no record lost', `${expected.late.length} records are late: ${JSON.stringify(totals)}`)
  }
  const rows = (await recordsOf(log, 'rows')).length
  if ((totals.out.rows ?? 0) !== rows) throw new LawBroken('L1 no record lost', `${rows} rows were written: ${JSON.stringify(totals)}`)
}

export function headerOf({ headers }: LogRecord, name: string): string | undefined {
  const found = headers.find((header) => header.name === name)
  return found === undefined ? undefined : Buffer.from(found.value).toString()
}

/** L4, from one slice of a task to the next. */
export function checkStep(task: number, before: JournalRecord, record: JournalRecord): void {
  if (record.slice.seq !== before.slice.seq + 1)
    throw new LawBroken('L4 never back', `task ${task}: slice ${record.slice.seq} after ${before.slice.seq}`)
  if (time(record) < time(before))
    throw new LawBroken('L4 never back', `task ${task}: watermark ${record.watermark} after ${before.watermark}`)
  // A task that is aligned is told where the former owner was: its own reading of the clock may be further, or not so far. The task takes the later one.
  if (record.slice.processing < before.slice.processing && !record.slice.align && !before.slice.align)
    throw new LawBroken('L4 never back', `task ${task}: processing time ${record.slice.processing} after ${before.slice.processing}`)
  for (const { input, from } of record.slice.ranges) {
    const last = before.slice.ranges.find((range) => range.input === input)
    if (last !== undefined && from !== last.to)
      throw new LawBroken('L4 never back', `task ${task}: input ${input} from ${from} after ${last.to}`)
  }
  const { hash, node: _, ...body } = record
  if (hash !== chainHash(before.hash, JSON.stringify(body)))
    throw new LawBroken('L4 never back', `task ${task}: the hash of slice ${record.slice.seq} does not chain`)
}

function time({ watermark }: JournalRecord): number {
  if (watermark === null) return Number.NEGATIVE_INFINITY
  return watermark === 'Infinity' ? Number.POSITIVE_INFINITY : watermark
}

/** Multiset difference of sorted lists. */
function subtract(a: readonly string[], b: readonly string[]): string[] {
  const counts = new Map<string, number>()
  for (const row of b) counts.set(row, (counts.get(row) ?? 0) + 1)
  return a.filter((row) => {
    const left = counts.get(row) ?? 0
    counts.set(row, left - 1)
    return left <= 0
  })
}
