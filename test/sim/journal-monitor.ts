import { codeOf } from '../../engine/errors.ts'
import type { JournalRecord } from '../../engine/model/slice.ts'
import type { Log, ProducerEnd } from '../../engine/ports/log.ts'
import type { JobPlan } from '../../engine/runtime/plan.ts'
import type { RuntimeSettings } from '../../engine/runtime/settings.ts'
import type { Coverage } from './coverage.ts'
import { checkStep, LawBroken } from './laws.ts'

interface TaskHistory {
  last: JournalRecord | undefined
  /** By input: where the next range must begin. */
  readonly positions: Map<number, number>
}

/**
 * Watches every commit of a world at the moment it takes effect. L4: nothing goes back; L5: committed <= end; L8: bounds are kept;
 * L2: what was committed is contiguous, slice after slice and range after range, whoever committed it.
 */
export class JournalMonitor {
  plan: JobPlan | undefined = undefined
  private readonly settings: RuntimeSettings
  private readonly coverage: Coverage
  private readonly tasks = new Map<number, TaskHistory>()
  private readonly acked = new Map<string, number>()
  private largestChunk = 0
  /** The first law that was broken where no caller could be told. */
  broken: LawBroken | undefined = undefined

  constructor(settings: RuntimeSettings, coverage: Coverage) {
    this.settings = settings
    this.coverage = coverage
  }

  /** L11: an end that was acknowledged is never forgotten. */
  opened(id: string, end: ProducerEnd): void {
    const acked = this.acked.get(id) ?? 0
    if (end.seq < acked) this.fail('L11 acknowledged survives', `${id} ends at ${end.seq}, ${acked} was acknowledged`)
  }

  /** All of it was removed on purpose. */
  forget(): void {
    this.tasks.clear()
    this.acked.clear()
  }

  acknowledged(id: string, seq: number): void {
    this.acked.set(id, Math.max(seq, this.acked.get(id) ?? 0))
  }

  sent(id: string, underWay: number): void {
    if (underWay > 1) this.coverage.count('commits pipelined')
    if (id.includes('.task-') && underWay > this.settings.commitsInFlightMax) {
      this.fail('L8 queues are bounded', `${id} has ${underWay} commits under way, ${this.settings.commitsInFlightMax} are allowed`)
    }
  }

  zombieSent(id: string): void {
    if (id.includes('.task-')) this.coverage.count('zombie commit')
  }

  refused(error: unknown): void {
    this.coverage.count(`refused ${codeOf(error) ?? 'by an error'}`)
  }

  buffered(topic: string, held: number, last: number): void {
    const { readAheadBytesMax, chunkBytes, sliceRecordsMax } = this.settings
    this.largestChunk = Math.max(this.largestChunk, last)
    // One chunk more while one is being read; recovery reads the ranges of a slice whatever their size.
    // However few records those are, each may lie in a block of its own, which a rewrite may have joined.
    if (held - last > Math.max(readAheadBytesMax, chunkBytes, sliceRecordsMax * this.largestChunk))
      this.fail('L8 queues are bounded', `${held} bytes of ${topic} are held, ${readAheadBytesMax} are allowed`)
  }

  trimmed(): void {
    this.coverage.count('trimmed')
  }

  /** What a task has committed, in order; told again of a slice it knows, it passes it over. */
  took(task: number, record: JournalRecord, log: Log): void {
    if (this.plan === undefined || record.slice.seq <= (this.tasks.get(task)?.last?.slice.seq ?? 0)) return
    const history = this.tasks.get(task) ?? { last: undefined, positions: new Map() }
    this.tasks.set(task, history)
    try {
      const { last } = history
      if (record.slice.seq !== (last?.slice.seq ?? 0) + 1) {
        throw new LawBroken('L2 no effect twice', `task ${task}: slice ${record.slice.seq} was committed after ${last?.slice.seq ?? 0}`)
      }
      if (last !== undefined) checkStep(task, last, record)
      this.checkRanges(task, history, record, log)
      this.checkBounds(task, record)
    } catch (error) {
      this.broken ??= error as LawBroken
    }
    history.last = record
    if (record.slice.ranges.length > 1) this.coverage.count('several ranges')
    if (record.slice.ranges.length === 0) this.coverage.count('tick')
    if (record.due) this.coverage.count('results left for the next slice')
    if (record.slice.idle.length > 0) this.coverage.count('idle partition')
    if (record.slice.advanceTo !== undefined) this.coverage.count('input complete')
  }

  /** Where every task stands, for the report of a run that does not end. */
  standing(log: Log): string {
    if (this.plan === undefined) return ''
    return this.plan.tasks
      .map(({ id, inputs }) => {
        const { last, positions } = this.tasks.get(id) ?? { last: undefined, positions: new Map<number, number>() }
        const read = inputs.map(
          ({ topic, partition }, input) =>
            `${topic}/${partition} ${positions.get(input) ?? 0} of ${log.topic(topic) && log.bounds(topic, partition).end}`,
        )
        return `task ${id}: slice ${JSON.stringify(last?.slice)}, due ${last?.due}, watermark ${last?.watermark}; ${read.join(', ')}`
      })
      .join('\n  ')
  }

  private checkRanges(task: number, { positions }: TaskHistory, record: JournalRecord, log: Log): void {
    record.slice.ranges.forEach(({ input, from, to }, i) => {
      const expected = positions.get(input) ?? 0
      if (from !== expected)
        throw new LawBroken(
          from > expected ? 'L1 no record lost' : 'L2 no effect twice',
          `task ${task}: input ${input} from ${from}, it stood at ${expected}`,
        )
      if (to - from !== record.input[i]!.count)
        throw new LawBroken('L1 no record lost', `task ${task}: ${record.input[i]!.count} records of [${from}, ${to})`)
      positions.set(input, to)
      const { topic, partition } = this.plan!.tasks[task]!.inputs[input]!
      const { end } = log.bounds(topic, partition)
      if (to > end)
        throw new LawBroken(
          'L5 committed <= processed <= end',
          `task ${task} committed ${topic}/${partition} up to ${to}, its end is ${end}`,
        )
    })
  }

  private checkBounds(task: number, record: JournalRecord): void {
    const { sliceRecordsMax, outputsMax } = this.settings
    const inputs = this.plan!.tasks[task]!.inputs
    const taken = record.input.reduce((sum, { count }) => sum + count, 0)
    // Each input may give one record, however small the bound; source and exchange inputs have a share each.
    const most = Math.max(sliceRecordsMax, inputs.length) * 2
    if (taken > most)
      throw new LawBroken('L8 queues are bounded', `task ${task}: a slice of ${taken} records, ${sliceRecordsMax} are allowed`)
    // A record gives few results itself; those by time keep to the budget, but an update is never taken apart: a session takes back the early results
    // of all those that were joined in it (seed 4293). In-band watermarks are counted too.
    const marks = this.plan!.exchanges.length * this.plan!.parallelism
    const results = outputsMax + (1 + taken) * resultsAtOnceMax + marks
    if (record.output.count > results)
      throw new LawBroken(
        'L8 queues are bounded',
        `task ${task}: a slice of ${record.output.count} results, at most ${results} are allowed`,
      )
  }

  private fail(law: string, what: string): void {
    this.broken ??= new LawBroken(law, what)
  }
}

/** No job of the simulation gives more for one record, or for one window when its time has come. */
const resultsAtOnceMax = 8
