import type { EpochMs } from '../../engine/model/record.ts'
import type { JobPlan } from '../../engine/runtime/plan.ts'
import type { Random } from '../support/random.ts'
import type { SimInput, SimJob, SimRecord } from './jobs.ts'
import { LawBroken } from './laws.ts'
import { type Burst, startAt } from './scenario.ts'

const turnsMax = 30

/**
 * What the rules say is due when all input has come and nobody has said so. Where partitions may fall idle, all but one are left alone: that one
 * goes on, and time with it.
 */
export class Due {
  /** What has come, with what is added here. */
  input: SimInput
  readonly by: EpochMs
  /** What must not hold it up although it gives nothing, with several tasks behind exchanges. */
  readonly despite: readonly string[]
  private readonly goesOn: { readonly topic: string; readonly partition: number } | undefined

  constructor(
    { kind, outOfOrdernessMs, idleAfterMs }: Pick<SimJob, 'kind' | 'outOfOrdernessMs' | 'idleAfterMs'>,
    input: SimInput,
    { exchanges, tasks }: JobPlan,
    random: Random,
  ) {
    this.input = input
    const partitions = Object.entries(input).flatMap(([topic, lists]) => lists.map((records, partition) => ({ topic, partition, records })))
    this.goesOn = idleAfterMs === undefined ? undefined : partitions[random.int(partitions.length)]!
    const reached = this.goesOn === undefined ? Math.min(...partitions.map(({ records }) => highest(records))) : this.beyond
    const others = this.goesOn === undefined ? [] : partitions.filter((each) => each !== this.goesOn)
    const quiet = {
      'partitions are idle': others.some(({ records }) => records.length > 0),
      'partitions are empty': others.some(({ records }) => records.length === 0),
      'tasks have no partition': tasks.some(({ inputs }) => !inputs.some((input) => input.kind !== 'retry')),
    }
    this.despite = Object.entries(quiet).flatMap(([what, is]) => (is && exchanges.length > 0 ? [what] : []))
    this.by = kind.startsWith('processing time') ? Number.POSITIVE_INFINITY : reached - outOfOrdernessMs
  }

  /** Goes on and looks until it has come out. @param check throws while it has not. @param over nobody is there any more that could give it. */
  async comesOut(world: {
    feed(burst: Burst): Promise<unknown>
    steps(count: number): Promise<void>
    over(): boolean
    check(): Promise<void>
  }): Promise<void> {
    for (let turns = 1; ; turns++) {
      if (this.goesOn !== undefined) await world.feed(this.next(this.goesOn))
      await world.steps(100 * turns)
      if (world.over()) return
      try {
        return await world.check()
      } catch (error) {
        if (!(error instanceof LawBroken)) throw error
        if (turns === turnsMax) throw new LawBroken('liveness', `what is due by ${this.by} is not out: ${error.message}`)
      }
    }
  }

  private next({ topic, partition }: { readonly topic: string; readonly partition: number }): Burst {
    const all = this.all
    const record = { id: Math.max(-1, ...all.map(({ id }) => id)) + 1, key: all[0]?.key ?? 'a0', time: this.beyond, amount: 1 }
    const lists = this.input[topic]!.map((records, i) => (i === partition ? [...records, record] : records))
    this.input = { ...this.input, [topic]: lists }
    return { topic, partition, records: [record], afterMs: 0 }
  }

  private get beyond(): EpochMs {
    return Math.max(startAt - 100_000, highest(this.all)) + 1000
  }

  private get all(): SimRecord[] {
    return Object.values(this.input).flat(2)
  }
}

function highest(records: readonly SimRecord[]): EpochMs {
  return Math.max(Number.NEGATIVE_INFINITY, ...records.map(({ time }) => time))
}
