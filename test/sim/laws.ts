import type { JournalRecord } from '../../engine/model/slice.ts'
import type { Log } from '../../engine/ports/log.ts'
import type { JobPlan } from '../../engine/runtime/plan.ts'
import { readJournal } from '../../engine/runtime/recover.ts'
import { chainHash } from '../../engine/task/digest.ts'

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
  if (missing.length > 0) throw new LawBroken('L1 no record lost', `${missing.length} missing, first ${missing[0]}; ${extra.length} extra, first ${extra[0]}`)
  if (extra.length > 0) throw new LawBroken('L2 no effect twice', `${extra.length} extra, first ${extra[0]}`)
}

/** L4: in each task's journal slices are numbered without a gap, watermarks and positions never go back, hashes chain. */
export async function checkJournals(log: Log, plan: JobPlan): Promise<void> {
  for (const { id } of plan.tasks) {
    const journal = (await readJournal(log, plan.topics.journal, id)).map(({ record }) => record)
    journal.forEach((record, i) => {
      const before = journal[i - 1]
      if (before !== undefined) checkStep(id, before, record)
    })
  }
}

/** L5: committed <= end, for each source partition a task reads. */
export async function checkPositions(log: Log, plan: JobPlan): Promise<void> {
  for (const { id, inputs } of plan.tasks) {
    for (const { record } of await readJournal(log, plan.topics.journal, id)) {
      for (const { input, to } of record.slice.ranges) {
        const { topic, partition } = inputs[input]!
        const { end } = log.bounds(topic, partition)
        if (to > end) throw new LawBroken('L5 committed <= processed <= end', `task ${id} committed ${topic}/${partition} up to ${to}, its end is ${end}`)
      }
    }
  }
}

/** in = processed + skipped + dead-lettered, over all tasks. */
export async function checkTotals(log: Log, plan: JobPlan, records: number): Promise<void> {
  let read = 0
  for (const { id } of plan.tasks) {
    const totals = (await readJournal(log, plan.topics.journal, id)).at(-1)?.record.totals
    if (totals === undefined) continue
    if (totals.in !== totals.processed + totals.skipped + totals.deadLettered) throw new LawBroken('L1 no record lost', `task ${id}: ${JSON.stringify(totals)}`)
    read += totals.in
  }
  if (read !== records) throw new LawBroken('L1 no record lost', `${read} of ${records} records were taken in`)
}

function checkStep(task: number, before: JournalRecord, record: JournalRecord): void {
  if (record.slice.seq !== before.slice.seq + 1) throw new LawBroken('L4 never back', `task ${task}: slice ${record.slice.seq} after ${before.slice.seq}`)
  if (time(record) < time(before)) throw new LawBroken('L4 never back', `task ${task}: watermark ${record.watermark} after ${before.watermark}`)
  if (record.slice.processing < before.slice.processing) throw new LawBroken('L4 never back', `task ${task}: processing time ${record.slice.processing} after ${before.slice.processing}`)
  for (const { input, from } of record.slice.ranges) {
    const last = before.slice.ranges.find((range) => range.input === input)
    if (last !== undefined && from !== last.to) throw new LawBroken('L4 never back', `task ${task}: input ${input} from ${from} after ${last.to}`)
  }
  const { hash, node: _, ...body } = record
  if (hash !== chainHash(before.hash, JSON.stringify(body))) throw new LawBroken('L4 never back', `task ${task}: the hash of slice ${record.slice.seq} does not chain`)
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
