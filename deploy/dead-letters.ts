import { StreamError } from '../engine/errors.ts'
import type { LogRecord } from '../engine/model/record.ts'
import type { Log, LogView } from '../engine/ports/log.ts'
import { silentLogger } from '../engine/ports/world.ts'
import { stagesOfSources } from '../engine/runtime/plan.ts'
import { jobsOf } from '../replay/control-log.ts'
import type { ControlState } from '../replay/control-state.ts'
import { type DeadLetter, type Decision, deadLetters, decideLetters, refuseSealed, sourceOf } from '../replay/dead-letters.ts'
import { openJobFile } from './load-job-file.ts'
import { withExistingLog, withLogView } from './open-existing-log.ts'
import { bytesOf, PageBytes } from './page-bytes.ts'
import { realClock } from './real-clock.ts'

export interface Choice {
  readonly ids: readonly number[]
  /** All that are open, instead of ids. */
  readonly all: boolean
  /** With `all`: of those, the ones with this error code. */
  readonly error: string | undefined
}

export interface PageQuery {
  /** Also those that were decided. */
  readonly all: boolean
  /** Only those with this error code. */
  readonly error: string | undefined
  readonly limit: number | undefined
  /** The id to begin with. */
  readonly from?: number
  /** Default: what a page holds. */
  readonly bytesMax?: number
}

/** What retrying or dropping would do. */
export interface ChangePlan {
  readonly type: Decision['type']
  /** Letters to decide. */
  readonly ids: readonly number[]
  /** Asked for by id, but decided before. */
  readonly already: readonly Decision[]
  /** Can't be retried: results of timers and windows. */
  readonly timeResults: readonly number[]
}

/**
 * Opens the log of a data directory for the dead letters of one job, calls `act`, and closes it.
 * @param job its name, or the path of its file. Errors: JOB_UNKNOWN, those of withExistingLog, of job files.
 */
export async function withDeadLetters<T>(data: string, job: string, act: (queue: DeadLetterQueue) => Promise<T>): Promise<T> {
  const { name, stages } = await nameOf(job)
  return withExistingLog(data, async (log) => {
    checkJob(log, name, data)
    return act(new DeadLetterQueue(log, name, stages))
  })
}

/** The same for those who only look, also while the job runs. */
export async function withDeadLetterList<T>(data: string, job: string, act: (list: DeadLetterList) => Promise<T>): Promise<T> {
  const { name } = await nameOf(job)
  return withLogView(data, async (log) => {
    checkJob(log, name, data)
    return act(new DeadLetterList(log, name))
  })
}

async function nameOf(job: string): Promise<{ name: string; stages: Stages | undefined }> {
  if (!/[/\\]|\.[cm]?[jt]s$/.test(job)) return { name: job, stages: undefined }
  const { topology } = (await openJobFile(job, silentLogger)).load()
  return { name: topology.job, stages: () => stagesOfSources(topology) }
}

function checkJob(log: LogView, job: string, data: string): void {
  const jobs = jobsOf(log)
  if (jobs.includes(job)) return
  throw new StreamError(
    'JOB_UNKNOWN',
    { job, data },
    { fix: jobs.length === 0 ? 'no job ran on this data directory' : `jobs of this data directory: ${jobs.join(', ')}` },
  )
}

/** The dead letters of one job, to look at. */
export class DeadLetterList {
  readonly job: string
  private readonly view: LogView

  constructor(view: LogView, job: string) {
    this.view = view
    this.job = job
  }

  letters(from?: number): AsyncIterable<DeadLetter> {
    return deadLetters(this.view, this.job, from)
  }

  /** Those that are asked for, the oldest first, and the id to go on with when there are more. */
  async page({ all, error, limit, from, bytesMax }: PageQuery): Promise<{ letters: DeadLetter[]; next: number | undefined }> {
    const letters: DeadLetter[] = []
    const page = new PageBytes(bytesMax)
    for await (const letter of this.letters(from)) {
      if ((letter.decision !== undefined && !all) || (error !== undefined && letter.code !== error)) continue
      if (letters.length === limit || !page.take(bytesOf(letter.record))) return { letters, next: letter.id }
      letters.push(letter)
    }
    return { letters, next: undefined }
  }

  /** Also the source record of one that does not hold its bytes, as long as the log has it. DEAD_LETTER_UNKNOWN when it is not there. */
  async letter(id: number): Promise<{ letter: DeadLetter; from: LogRecord | undefined }> {
    for await (const letter of deadLetters(this.view, this.job, id, id + 1)) return { letter, from: await sourceOf(this.view, letter) }
    throw unknown(this.job, [id])
  }
}

/** Which stage of a version reads which source topic: see stagesOfSources. Undefined: not known. */
export type Stages = (version: number) => Readonly<Record<string, number>> | undefined

/** The same, to decide. */
export class DeadLetterQueue extends DeadLetterList {
  private readonly log: Log
  private readonly stages: Stages | undefined

  /** @param stages where they are not known, that makes no difference to a job of one stage. */
  constructor(log: Log, job: string, stages: Stages | undefined) {
    super(log, job)
    this.log = log
    this.stages = stages
  }

  /** What would be done. Errors: USAGE, DEAD_LETTER_UNKNOWN, JOB_SEALED. */
  async plan(type: Decision['type'], { ids, all, error }: Choice): Promise<ChangePlan> {
    if (all === ids.length > 0)
      throw new StreamError('USAGE', { reason: 'which dead letters?' }, { fix: 'name ids, or --all; reprise dlq list shows them' })
    if (!all && error !== undefined)
      throw new StreamError('USAGE', { reason: '--error chooses among --all' }, { fix: 'leave out the ids or --error' })
    const control = type === 'retried' ? await refuseSealed(this.log, this.job) : undefined
    const asked = new Set(ids)
    const open: number[] = []
    const already: Decision[] = []
    const timeResults: number[] = []
    for await (const letter of all ? this.letters() : deadLetters(this.log, this.job, Math.min(...ids), Math.max(...ids) + 1)) {
      if (all ? letter.decision !== undefined || (error !== undefined && letter.code !== error) : !asked.delete(letter.id)) continue
      if (letter.decision !== undefined) already.push(letter.decision)
      else if (control !== undefined && letter.source === undefined) timeResults.push(letter.id)
      else {
        // What would be refused is refused by a plan too.
        if (control !== undefined) this.retryPartition(letter.source!.topic, control)
        open.push(letter.id)
      }
    }
    if (asked.size > 0) throw unknown(this.job, [...asked])
    return { type, ids: open, already, timeResults }
  }

  /** Does what was planned, as far as nobody else did; returns the ids decided now. Errors: those of decideLetters, USAGE when the job file is needed. */
  async carryOut({ type, ids }: ChangePlan): Promise<number[]> {
    if (ids.length === 0) return []
    const chosen = new Set(ids)
    return decideLetters(this.log, this.job, {
      type,
      chosen: ({ id }) => chosen.has(id),
      retryPartition: (topic, control) => this.retryPartition(topic, control),
      at: realClock.now(),
      from: ids[0]!,
      to: ids.at(-1)! + 1,
    })
  }

  /** The retry topic has a partition for each stage; which stage reads a source, only the job's topology says. */
  private retryPartition(topic: string, { versions, owner = 1 }: ControlState): number {
    const { parallelism = 1 } = versions.get(owner) ?? {}
    if (parallelism === 1) return 0
    const stages = this.stages?.(owner)
    if (stages === undefined) {
      throw new StreamError(
        'USAGE',
        { reason: `${this.job} runs with parallelism ${parallelism}, and its file says which stage reads a record` },
        { fix: 'name the job file in the place of the job name' },
      )
    }
    const stage = stages[topic]
    if (stage === undefined) throw new StreamError('TOPIC_UNKNOWN', { topic, reason: 'the job does not read it' })
    return stage
  }
}

function unknown(job: string, ids: readonly number[]): StreamError {
  return new StreamError('DEAD_LETTER_UNKNOWN', { job, ids }, { fix: 'reprise dlq list --all shows the ids there are' })
}
