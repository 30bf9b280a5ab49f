import { StreamError } from '../engine/errors.ts'
import type { Log, LogView } from '../engine/ports/log.ts'
import { silentLogger } from '../engine/ports/world.ts'
import { jobTopics, planJob } from '../engine/runtime/plan.ts'
import { jobsOf, readControl } from '../replay/control-log.ts'
import { type DeadLetter, type Decision, deadLetters, decideLetters, refuseSealed } from '../replay/dead-letters.ts'
import { type JobFile, openJobFile } from './load-job-file.ts'
import { withExistingLog, withLogView } from './open-existing-log.ts'
import { realClock } from './real-clock.ts'

export interface Choice {
  readonly ids: readonly number[]
  /** All that are open, instead of ids. */
  readonly all: boolean
  /** With `all`: of those, the ones with this error code. */
  readonly error: string | undefined
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
export async function withDeadLetters(data: string, job: string, act: (queue: DeadLetterQueue) => Promise<void>): Promise<void> {
  const { name, file } = await nameOf(job)
  await withExistingLog(data, async (log) => {
    checkJob(log, name, data)
    await act(new DeadLetterQueue(log, name, file))
  })
}

/** The same for those who only look, also while the job runs. */
export async function withDeadLetterList(data: string, job: string, act: (list: DeadLetterList) => Promise<void>): Promise<void> {
  const { name } = await nameOf(job)
  await withLogView(data, async (log) => {
    checkJob(log, name, data)
    await act(new DeadLetterList(log, name))
  })
}

async function nameOf(job: string): Promise<{ name: string; file: JobFile | undefined }> {
  const file = /[/\\]|\.[cm]?[jt]s$/.test(job) ? await openJobFile(job, silentLogger) : undefined
  return { name: file?.load().topology.job ?? job, file }
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

  letters(): AsyncIterable<DeadLetter> {
    return deadLetters(this.view, this.job)
  }

  /** DEAD_LETTER_UNKNOWN when it is not there. */
  async letter(id: number): Promise<DeadLetter> {
    for await (const letter of deadLetters(this.view, this.job, id, id + 1)) return letter
    throw unknown(this.job, [id])
  }
}

/** The same, to decide. */
export class DeadLetterQueue extends DeadLetterList {
  private readonly log: Log
  private readonly file: JobFile | undefined

  constructor(log: Log, job: string, file: JobFile | undefined) {
    super(log, job)
    this.log = log
    this.file = file
  }

  /** What would be done. Errors: USAGE, DEAD_LETTER_UNKNOWN, JOB_SEALED. */
  async plan(type: Decision['type'], { ids, all, error }: Choice): Promise<ChangePlan> {
    if (all === ids.length > 0)
      throw new StreamError('USAGE', { reason: 'which dead letters?' }, { fix: 'name ids, or --all; reprise dlq list shows them' })
    if (!all && error !== undefined)
      throw new StreamError('USAGE', { reason: '--error chooses among --all' }, { fix: 'leave out the ids or --error' })
    if (type === 'retried') await refuseSealed(this.log, this.job)
    const asked = new Set(ids)
    const open: number[] = []
    const already: Decision[] = []
    const timeResults: number[] = []
    for await (const letter of all ? this.letters() : deadLetters(this.log, this.job, Math.min(...ids), Math.max(...ids) + 1)) {
      if (all ? letter.decision !== undefined || (error !== undefined && letter.code !== error) : !asked.delete(letter.id)) continue
      if (letter.decision !== undefined) already.push(letter.decision)
      else if (type === 'retried' && letter.source === undefined) timeResults.push(letter.id)
      else open.push(letter.id)
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
      retryPartition: type === 'retried' ? await this.retryPartitions() : () => 0,
      at: realClock.now(),
      from: ids[0]!,
      to: ids.at(-1)! + 1,
    })
  }

  /** The retry topic has a partition for each stage; which stage reads a source, only the job's topology says. */
  private async retryPartitions(): Promise<(topic: string) => number> {
    const { registered } = await readControl(this.log, this.job)
    const version = registered?.version ?? 1
    const stages = this.log.topic(jobTopics(this.job, version).retry)?.partitions ?? 1
    if (stages === 1) return () => 0
    if (this.file === undefined) {
      throw new StreamError(
        'USAGE',
        { reason: `${this.job} runs in ${stages} stages, and its file says which one reads a record` },
        { fix: 'name the job file in the place of the job name' },
      )
    }
    const { tasks } = planJob(
      this.file.load().topology,
      version,
      registered?.parallelism ?? 1,
      (topic) => this.log.topic(topic)?.partitions ?? 1,
    )
    const inputs = tasks.flatMap((task) => task.inputs.filter((input) => input.kind === 'retry'))
    return (topic) => {
      const input = inputs.find(({ sources }) => sources.some((node) => node.topic.name === topic))
      if (input === undefined) throw new StreamError('TOPIC_UNKNOWN', { topic, reason: 'the job does not read it' })
      return input.partition
    }
  }
}

function unknown(job: string, ids: readonly number[]): StreamError {
  return new StreamError('DEAD_LETTER_UNKNOWN', { job, ids }, { fix: 'reprise dlq list --all shows the ids there are' })
}
