import { Readable } from 'node:stream'
import { type ErrorCode, StreamError } from '../../../engine/errors.ts'
import type { EpochMs, NewRecord } from '../../../engine/model/record.ts'
import { recordsOfJson } from '../../ingest/json-array.ts'
import { readNdjson } from '../../ingest/ndjson.ts'
import { fieldReader } from '../../ingest/take-in.ts'
import { checkNoOutput, type Writer } from '../../output-owner.ts'
import type { IngestProducers } from '../ingest-producers.ts'
import { Refusal, sendLess } from './problem.ts'

/** An array is built and committed at once: nobody else is served meanwhile. */
const arrayRecordsMax = 250_000

export interface TakeRecordsOptions {
  readonly producers: IngestProducers
  /** All jobs: one may begin to write the topic while a body is still coming. */
  readonly writers: () => Iterable<Writer>
  /** Event time of records that have none of their own: that of the log, since the wall clock may be ahead of its append times. */
  readonly now: () => EpochMs
  readonly topic: string
  /** Fields of a record. */
  readonly key: string | undefined
  readonly time: string | undefined
  readonly producer: string | undefined
  readonly sequence: number | undefined
}

export interface Taken {
  added: number
  /** Were there already, by their numbers. */
  skipped: number
  /** Number of the next record in its source; null where they have none. */
  nextSequence: number | null
}

/**
 * Takes in what a body holds: of NDJSON all that comes before a line that is bad, an array as a whole or not at all. Errors, with what was taken and
 * the place in the body: RECORD_MALFORMED, RECORD_TOO_LARGE, KEY_INVALID, EVENT_TIME_INVALID; REQUEST_TIMED_OUT, SERVER_STOPPING, OUTPUT_OWNED; those of
 * TopicAppender.append.
 */
export async function takeRecords(
  body: unknown,
  { producers, writers, now, topic, producer, sequence, ...fields }: TakeRecordsOptions,
): Promise<Taken> {
  const read = fieldReader(fields.key, fields.time)
  const recordOf = (value: Uint8Array): NewRecord => {
    const { key, eventTime } = read(value)
    return { value: Buffer.from(value), key, eventTime: Number.isNaN(eventTime) ? now() : eventTime }
  }
  const taken: Taken = { added: 0, skipped: 0, nextSequence: sequence ?? null }
  const take = async (records: readonly NewRecord[]) => {
    checkNoOutput(topic, writers())
    const { added, skipped } = await producers.append(topic, producer, records, taken.nextSequence ?? undefined)
    taken.added += added
    taken.skipped += skipped
    if (taken.nextSequence !== null) taken.nextSequence += records.length
  }
  try {
    if (body instanceof Readable) await takeLines(body, recordOf, take)
    else if (body !== undefined) await take(recordsOf(body as Buffer, recordOf))
  } catch (error) {
    throw withTaken(error, taken)
  }
  return taken
}

async function takeLines(
  body: Readable,
  recordOf: (value: Uint8Array) => NewRecord,
  take: (records: readonly NewRecord[]) => Promise<void>,
): Promise<void> {
  for await (const batch of readNdjson(body, { file: 'the body', onBad: 'fail' })) {
    const records: NewRecord[] = []
    try {
      for (const { line, value } of batch) records.push(at({ line }, () => recordOf(value)))
    } finally {
      // Those before a bad one are in: who mends it goes on there.
      await take(records)
    }
  }
}

function recordsOf(body: Buffer, recordOf: (value: Uint8Array) => NewRecord): NewRecord[] {
  const { array, records } = recordsOfJson(body, { file: 'the body', onBad: 'fail', recordsMax: arrayRecordsMax })
  return records.map(({ line, value }, index) => at(array ? { index } : { line }, () => recordOf(value)))
}

function at<T>(place: { readonly line: number } | { readonly index: number }, make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof StreamError)) throw error
    throw new StreamError(error.code, { ...place, ...error.details })
  }
}

const ofOneRecord: ReadonlySet<ErrorCode> = new Set(['RECORD_MALFORMED', 'RECORD_TOO_LARGE', 'KEY_INVALID', 'EVENT_TIME_INVALID'])

function withTaken(error: unknown, taken: Taken): unknown {
  if (!(error instanceof StreamError) || error instanceof Refusal) return error
  const { file: _, ...details } = error.details
  // A gap in the numbers: what the log expects, not what the client thought.
  const nextSequence = typeof details.expected === 'number' ? details.expected : taken.nextSequence
  const fix = fixOf(error, { ...taken, nextSequence })
  return new StreamError(error.code, { ...details, ...taken, nextSequence }, { cause: error, ...(fix === undefined ? {} : { fix }) })
}

function fixOf({ code, details, fix }: StreamError, { added, nextSequence }: Taken): string | undefined {
  if (code === 'COMMIT_TOO_LARGE') return sendLess
  const bad = ofOneRecord.has(code)
  if (!bad && code !== 'REQUEST_TIMED_OUT' && code !== 'SERVER_STOPPING') return fix
  const mend = bad ? 'mend the record, then ' : ''
  if (details.index !== undefined) return `${mend}send the array again: nothing of it is in`
  if (nextSequence !== null) return `${mend}send what comes from number ${nextSequence} on`
  return `${mend}send the body again${added === 0 ? '' : ` without its first ${added} records: they are in`}`
}
