import { z } from 'zod'
import { assert } from '../engine/assert.ts'
import { BlockBuilder } from '../engine/block/block-builder.ts'
import { codeOf, StreamError } from '../engine/errors.ts'
import { readRecords } from '../engine/log/read-records.ts'
import type { EpochMs, Header, LogRecord, NewRecord, Offset } from '../engine/model/record.ts'
import type { Commit, Log, LogView, Producer } from '../engine/ports/log.ts'
import { jobTopics } from '../engine/runtime/plan.ts'
import { headerNames } from '../engine/task/reports.ts'
import { controlEnd, controlTopic, readControl } from './control-log.ts'
import type { ControlState } from './control-state.ts'

/** What was decided about dead letters, in the job's topic `<job>.dlq-decisions`, one record each. A letter is decided once, for good. */
const decision = z.object({ id: z.number(), type: z.enum(['retried', 'dropped']), at: z.number() })
export type Decision = z.infer<typeof decision>

/** A record that a job set aside. */
export interface DeadLetter {
  /** Its offset in `<job>.dead-letters`. */
  readonly id: Offset
  readonly code: string
  /** Of the field, as `$.a.b`. */
  readonly path: string
  readonly message: string
  readonly operator: string
  /** The source record it comes from; undefined where a timer or a window's end gave the value. */
  readonly source: { readonly topic: string; readonly partition: number; readonly offset: Offset } | undefined
  /** The source record's bytes were not at hand: the value is that of the operator, as JSON. */
  readonly derived: boolean
  readonly setAsideAt: EpochMs
  readonly record: LogRecord
  /** Undefined: open. */
  readonly decision: Decision | undefined
}

const attemptsMax = 10
const batchBytes = 1 << 20
const batchLetters = 10_000

const decisionsTopic = (job: string): string => `${job}.dlq-decisions`

/** The dead letters of a job with from <= id < to, oldest first; none when it has not run yet. Errors: LOG_CORRUPT. */
export async function* deadLetters(log: LogView, job: string, from: Offset = 0, to = Number.POSITIVE_INFINITY): AsyncGenerator<DeadLetter> {
  const topic = jobTopics(job, 1).deadLetters
  if (log.topic(topic) === undefined) return
  const { start, end } = log.bounds(topic, 0)
  const decisions = await readDecisions(log, job)
  if (Math.max(start, from) >= Math.min(end, to)) return
  for await (const record of readRecords(log, topic, 0, Math.max(start, from), Math.min(end, to))) yield letterOf(record, decisions)
}

/** Dead letters of a job that nothing was decided about; those that retention took count too. Reads no record. */
export function openLetters(log: Pick<LogView, 'topic' | 'bounds'>, job: string): number {
  const endOf = (topic: string) => (log.topic(topic) === undefined ? 0 : log.bounds(topic, 0).end)
  return endOf(jobTopics(job, 1).deadLetters) - endOf(decisionsTopic(job))
}

/**
 * Drops the open dead letters that are chosen, or retries them: appends the source records they come from to the retry topic of the
 * version that publishes, which processes them as it runs. A letter's decision and its retry record are in one commit, so that doing it again, also
 * after a crash, retries nothing twice. What is retried is retried by the version that publishes at that very moment: none of it is added while
 * a cut-over holds that one, which takes all of it before it stands still.
 * @returns ids that were decided now.
 * Errors: JOB_SEALED and VERSION_STATE (retry), OFFSET_OUT_OF_RANGE when a source record is needed and gone, COMMIT_FENCED or COMMIT_CONFLICT when
 * somebody else decides at the same time.
 */
export async function decideLetters(log: Log, job: string, asked: LetterDecision): Promise<Offset[]> {
  await log.createTopic({ name: decisionsTopic(job), partitions: 1, kind: 'internal' })
  const ids: Offset[] = []
  for (let attempt = 1; ; attempt++) {
    try {
      await decideOnce(log, job, asked, ids)
      return ids
    } catch (error) {
      // Something was decided about the versions meanwhile, perhaps who publishes.
      if (codeOf(error) !== 'COMMIT_CONFLICT' || attempt === attemptsMax) throw error
    }
  }
}

export interface LetterDecision {
  readonly type: Decision['type']
  readonly chosen: (letter: DeadLetter) => boolean
  /** Partition of the retry topic for records of a source topic; `control`: what is decided about the versions by then. */
  readonly retryPartition: (topic: string, control: ControlState) => number
  readonly at: EpochMs
  /** Bounds of the ids to look at. */
  readonly from?: Offset
  readonly to?: Offset
}

/** @param ids those that were decided are added. */
async function decideOnce(log: Log, job: string, asked: LetterDecision, ids: Offset[]): Promise<void> {
  const { type, chosen, retryPartition, at, from, to } = asked
  const control = await readControl(log, job)
  if (type === 'retried') refuseRetry(job, control)
  const { retry } = jobTopics(job, control.owner ?? 1)
  // Opened BEFORE the decisions are read: from here on nobody else adds one unnoticed.
  const writer = new DecisionWriter(await log.producer(decisionsTopic(job)), job, type === 'retried' ? unchanged(job, control) : [])
  assert(writer.decided === log.bounds(decisionsTopic(job), 0).end, 'decisions and their producer differ')
  let gathered: Offset[] = []
  const commit = async () => {
    await writer.commit()
    ids.push(...gathered)
    gathered = []
  }
  for await (const letter of deadLetters(log, job, from, to)) {
    if (letter.decision !== undefined || !chosen(letter)) continue
    if (type === 'retried') {
      assert(letter.source !== undefined, 'a letter without a source record was chosen to be retried')
      writer.append(retry, retryPartition(letter.source.topic, control), await retryRecord(log, letter, letter.source))
    }
    writer.decide({ id: letter.id, type, at })
    gathered.push(letter.id)
    if (writer.full) await commit()
  }
  await commit()
}

const unchanged = (job: string, control: ControlState): NonNullable<Commit['others']> => [
  { producer: controlTopic(job), end: controlEnd(control) },
]

/** JOB_SEALED; VERSION_STATE where the version that publishes would not take it. */
function refuseRetry(job: string, control: ControlState): void {
  checkNotSealed(job, control)
  const { owner, hold, versions } = control
  const health = versions.get(owner ?? 1)?.health ?? 'running'
  const refused = (reason: string, fix: string) => new StreamError('VERSION_STATE', { job, version: owner, reason }, { fix })
  if (hold !== undefined) throw refused(`v${hold.to} is about to take over from it`, 'try again in a moment')
  if (health !== 'running') throw refused(`it is ${health}, and takes nothing`, `reprise resume ${job}, or promote another version first`)
}

/** JOB_SEALED: its windows are closed, and it takes no more records. @returns what is decided about its versions. */
export async function refuseSealed(log: Log, job: string): Promise<ControlState> {
  const control = await readControl(log, job)
  checkNotSealed(job, control)
  return control
}

function checkNotSealed(job: string, { sealed }: ControlState): void {
  if (sealed === undefined) return
  throw new StreamError(
    'JOB_SEALED',
    { job, reason: 'its input was declared complete with --complete' },
    { fix: 'a sealed job takes no more records; reprise dlq drop closes its dead letters' },
  )
}

/** Gathers decisions with their retry records, and commits both together. */
class DecisionWriter {
  /** Decisions committed so far. */
  decided: number
  private readonly producer: Producer
  private readonly job: string
  private readonly others: NonNullable<Commit['others']>
  private readonly decisions = new BlockBuilder()
  private readonly retries = new Map<string, { topic: string; partition: number; builder: BlockBuilder }>()
  private bytes = 0

  /** @param others ends that each commit builds on. */
  constructor(producer: Producer, job: string, others: NonNullable<Commit['others']>) {
    this.producer = producer
    this.job = job
    this.others = others
    this.decided = producer.end.seq
  }

  get full(): boolean {
    return this.bytes >= batchBytes || this.decisions.count >= batchLetters
  }

  append(topic: string, partition: number, record: NewRecord): void {
    const at = `${topic}/${partition}`
    const retry = this.retries.get(at) ?? { topic, partition, builder: new BlockBuilder() }
    this.retries.set(at, retry)
    retry.builder.add(record)
    this.bytes += (record.value?.length ?? 0) + (record.key?.length ?? 0)
  }

  decide(made: Decision): void {
    this.decisions.add({ key: null, value: Buffer.from(JSON.stringify(made)), eventTime: made.at })
  }

  async commit(): Promise<void> {
    const { count } = this.decisions
    if (count === 0) return
    const appends = [...this.retries.values()].map(({ topic, partition, builder }) => ({ topic, partition, block: builder.finish() }))
    await this.producer.commit({
      expect: { seq: this.decided, hash: '' },
      others: this.others,
      next: { seq: this.decided + count, hash: '' },
      appends: [...appends, { topic: decisionsTopic(this.job), partition: 0, block: this.decisions.finish() }],
    })
    this.decided += count
    this.decisions.reset()
    this.retries.clear()
    this.bytes = 0
  }
}

/** The source record again, with the place it came from. */
async function retryRecord(log: Log, letter: DeadLetter, source: NonNullable<DeadLetter['source']>): Promise<NewRecord> {
  const { key, value, eventTime, headers } = letter.derived ? await sourceRecord(log, source) : letter.record
  const place: Header[] = [
    { name: headerNames.topic, value: Buffer.from(source.topic) },
    { name: headerNames.partition, value: Buffer.from(String(source.partition)) },
    { name: headerNames.offset, value: Buffer.from(String(source.offset)) },
  ]
  return { key, value, eventTime, headers: [...headers.filter(({ name }) => !name.startsWith('reprise.')), ...place] }
}

/** The source record of a letter that does not hold its bytes, as long as the log has it. Errors: LOG_CORRUPT. */
export async function sourceOf(log: LogView, { derived, source }: DeadLetter): Promise<LogRecord | undefined> {
  if (!derived || source === undefined) return undefined
  try {
    return await sourceRecord(log, source)
  } catch (error) {
    if (codeOf(error) === 'OFFSET_OUT_OF_RANGE') return undefined
    throw error
  }
}

async function sourceRecord(log: LogView, { topic, partition, offset }: NonNullable<DeadLetter['source']>): Promise<LogRecord> {
  for await (const record of readRecords(log, topic, partition, offset, offset + 1)) return record
  throw new StreamError('OFFSET_OUT_OF_RANGE', { topic, partition, offset, reason: 'the record is not in the log any more' })
}

async function readDecisions(log: LogView, job: string): Promise<ReadonlyMap<Offset, Decision>> {
  const topic = decisionsTopic(job)
  const decisions = new Map<Offset, Decision>()
  if (log.topic(topic) === undefined) return decisions
  for await (const { value, offset } of readRecords(log, topic, 0, log.bounds(topic, 0).start)) {
    const made = parse(value, topic, offset)
    decisions.set(made.id, made)
  }
  return decisions
}

function parse(value: Uint8Array | null, topic: string, offset: Offset): Decision {
  try {
    return decision.parse(JSON.parse(Buffer.from(value ?? []).toString()))
  } catch (cause) {
    throw new StreamError('LOG_CORRUPT', { topic, offset, reason: 'not a decision about a dead letter' }, { cause })
  }
}

function letterOf(record: LogRecord, decisions: ReadonlyMap<Offset, Decision>): DeadLetter {
  const headers = new Map(record.headers.map(({ name, value }) => [name, Buffer.from(value).toString()]))
  const text = (name: string) => headers.get(name) ?? ''
  const topic = text(headerNames.topic)
  return {
    id: record.offset,
    code: text(headerNames.code),
    path: text(headerNames.path),
    message: text(headerNames.message),
    operator: text(headerNames.operator),
    source: topic === '' ? undefined : { topic, partition: Number(text(headerNames.partition)), offset: Number(text(headerNames.offset)) },
    derived: headers.has(headerNames.derived),
    setAsideAt: record.appendTime,
    record,
    decision: decisions.get(record.offset),
  }
}
