import type { LogRecord } from '../../../engine/model/record.ts'
import type { Log } from '../../../engine/ports/log.ts'
import { jobTopics } from '../../../engine/runtime/plan.ts'
import { canonical } from '../../../examples/reference.ts'
import type { CutOver } from '../../../replay/control-event.ts'
import type { Coverage } from '../../sim/coverage.ts'
import type { SimJob } from '../../sim/jobs.ts'
import { checkOutput, headerOf, isDue, LawBroken } from '../../sim/laws.ts'
import { idOf, lastValues, parse, recordsOf } from '../../sim/log-records.ts'
import { publicOutput } from './oracle.ts'
import type { TurnsScenario } from './scenario.ts'

export interface TurnsOutcome {
  readonly log: Log
  readonly scenario: TurnsScenario
  readonly job: string
  /** That count, oldest first. */
  readonly cuts: readonly CutOver[]
  readonly coverage: Coverage
  /** By id of the record. */
  readonly appendTimes: ReadonlyMap<number, number>
  /** Only what is due by this event time need be out. */
  readonly dueBy?: number
}

/** What is public in the end: nothing missing, nothing twice, each key in order; where versions differ, exactly what the sequential rule says. */
export async function checkTurns(outcome: TurnsOutcome): Promise<void> {
  const { job } = outcome.scenario
  if (job === undefined) await checkSequential(outcome)
  else await checkEqual(outcome, job)
  outcome.coverage.count('outcome checked')
  outcome.coverage.count(`cut-overs in ${outcome.scenario.kind}`, outcome.cuts.length)
}

/** Versions with equal logic: as if one of them had been alone. */
async function checkEqual(outcome: TurnsOutcome, job: SimJob): Promise<void> {
  const { log, scenario, job: name, cuts, coverage, appendTimes, dueBy = Number.POSITIVE_INFINITY } = outcome
  const topics = jobTopics(name, 1)
  const lateRecords = await recordsOf(log, topics.late)
  const late = lateRecords.map(idOf)
  // Late for nothing but a partition that was taken for idle: then or, since the versions were aligned, thereafter.
  const inOrder = new Set(job.expected(scenario.input, new Set(), appendTimes).late)
  const diverted = new Set(late.filter((id) => !inOrder.has(id)))
  if (diverted.size > 0 && job.idleAfterMs === undefined)
    throw new LawBroken('L3 independent of speed', `${diverted.size} records came too late for windows that no idle partition closed`)
  const unfair = lateRecords.find((record) => headerOf(record, 'reprise.reason') === 'late' && diverted.has(idOf(record)))
  if (unfair !== undefined)
    throw new LawBroken('L3 independent of speed', `record ${idOf(unfair)} was judged by more than its own partition had seen`)
  coverage.count('records late', late.length - diverted.size)
  coverage.count('records diverted', diverted.size)
  // What one version diverted and the other did not, sessions and processes remember differently: the seam that is announced, of those keys alone.
  const apart = job.idleAfterMs !== undefined && (!job.exactWithDiverted || /session|process$/.test(job.kind))
  const seam = apart ? await keysDiverted(outcome, inOrder) : []
  if (seam === undefined) return coverage.count('not told exactly')
  if (apart) coverage.count(seam.length === 0 ? 'idle partitions, no seam' : 'idle partitions, a seam')
  const inSeam = (row: unknown) => seam.some((key) => key.startsWith((row as Row).key ?? key))
  const told = (rows: readonly unknown[]) => canonical(rows.filter((row) => !inSeam(row) && isDue(row, dueBy)))
  const expected = job.expected(scenario.input, apart ? new Set() : diverted, appendTimes)
  for (const [topic, { kind, rows }] of Object.entries(expected.outputs)) {
    const records = await recordsOf(log, topic)
    const found = kind === 'stream' ? records.map(({ value }) => parse(value)) : lastValues(records)
    // What the former owner gave early of a session that grew, the next one does not take back: not promised.
    const left =
      cuts.length > 0 && givesSessionsEarly(job) ? found.filter((row) => !rows.some((whole) => isPart(row as Row, whole as Row))) : found
    checkOutput(told(rows), told(left))
    coverage.count('rows told exactly', told(rows).length)
    if (kind === 'stream') checkOrder(records, scenario)
    else if (job.kind === 'allowed lateness') checkUpdates(records)
  }
  checkOutput(canonical(expected.late), canonical(late.filter((id) => !diverted.has(id))))
  checkOutput(canonical(expected.deadLetters), canonical((await recordsOf(log, topics.deadLetters)).map(idOf)))
}

/** Keys of records that any version that published diverted; undefined: one of them is gone, and what it diverted with it. */
async function keysDiverted({ log, scenario, job: name, cuts }: TurnsOutcome, inOrder: ReadonlySet<number>): Promise<string[] | undefined> {
  const keys = new Map(
    Object.values(scenario.input).flatMap((lists) => lists.flatMap((list) => list.map(({ id, key }) => [id, key] as const))),
  )
  const topics = [jobTopics(name, 1).late]
  for (const version of new Set([1, ...cuts.map(({ to }) => to)])) {
    const { late, privately } = jobTopics(name, version)
    if (log.topic(privately(late)) === undefined) return undefined
    topics.push(privately(late))
  }
  const records = (await Promise.all(topics.map((topic) => recordsOf(log, topic)))).flat()
  // What a second window diverts is a result of the first one, and has no id.
  const keyOf = (record: LogRecord) => keys.get(idOf(record)) ?? (parse(record.value) as { first: string }).first
  return [...new Set(records.filter((record) => !inOrder.has(idOf(record))).map(keyOf))]
}

/** Versions that cut time differently: what the former owner gave up to the recorded point, and what the next one gives from there. */
async function checkSequential({
  log,
  scenario,
  job,
  cuts,
  coverage,
  appendTimes,
  dueBy = Number.POSITIVE_INFINITY,
}: TurnsOutcome): Promise<void> {
  const partitions = scenario.input.in!
  const expected = publicOutput({
    specs: scenario.specs,
    partitions,
    appendTimes,
    cuts: cuts.map(({ to, positions, watermark, processing }) => ({
      to,
      offsets: partitions.map((_, partition) => positions[`in/${partition}`] ?? 0),
      watermark: watermark ?? Number.NEGATIVE_INFINITY,
      processing,
    })),
  })
  const records = await recordsOf(log, 'rows')
  const table = scenario.specs[0]!.kind === 'allowed lateness'
  const found = table ? lastValues(records) : records.map(({ value }) => parse(value))
  const due = (rows: readonly unknown[]) => canonical(rows.filter((row) => isDue(row, dueBy)))
  checkOutput(due(expected.rows), due(found))
  coverage.count('rows told exactly', due(expected.rows).length)
  if (table) checkUpdates(records)
  else checkOrder(records, scenario)
  const late = (await recordsOf(log, jobTopics(job, 1).late)).map(idOf)
  checkOutput(canonical(expected.late), canonical(late))
  coverage.count('records late', late.length)
}

function givesSessionsEarly({ topology }: SimJob): boolean {
  return topology.nodes.some(({ detail }) => detail.startsWith('session') && detail.includes(', early every'))
}

function isPart(row: Row, whole: Row): boolean {
  const within = whole.start! <= row.start! && row.end! <= whole.end!
  return row.key === whole.key && within && (row.start !== whole.start || row.end !== whole.end)
}

interface Row {
  readonly key?: string
  readonly start?: number
  readonly end?: number
  readonly at?: number
  readonly id?: number
}

/** What is given by time comes in the order of the times, key by key, whoever gave it; what is given record by record, as its source partition has it. */
function checkOrder(records: readonly LogRecord[], { kind, input }: TurnsScenario): void {
  const sources = new Map(
    Object.values(input).flatMap((partitions) => partitions.flatMap((own, i) => own.map(({ id }) => [id, i] as const))),
  )
  const placeOf = ({ key, end, at, id }: Row) =>
    (kind.startsWith('stateless') ? [sources.get(id!), id!] : [key, end ?? at!]) as [unknown, number]
  const last = new Map<unknown, number>()
  for (const { value } of records) {
    const [group, place] = placeOf(parse(value) as Row)
    const before = last.get(group) ?? Number.NEGATIVE_INFINITY
    if (place < before) throw new LawBroken('L6 order by key', `${group}: ${place} after ${before}`)
    last.set(group, place)
  }
}

/** A window is given anew only with a record more: whoever takes over does not say once more what was said. */
function checkUpdates(records: readonly LogRecord[]): void {
  const last = new Map<string, string>()
  for (const { key, value } of records) {
    const text = String(value)
    if (last.get(String(key)) === text) throw new LawBroken('L2 no effect twice', `${key} was given as ${text} once more`)
    last.set(String(key), text)
  }
}
