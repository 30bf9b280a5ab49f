import { stat } from 'node:fs/promises'
import { ByteSink } from '../../engine/block/byte-sink.ts'
import { StreamError } from '../../engine/errors.ts'
import { appendRecords } from '../../engine/log/append-records.ts'
import { ingestEnd } from '../../engine/log/ingest-ends.ts'
import type { NewRecord } from '../../engine/model/record.ts'
import type { TopicDefinition } from '../../engine/model/topology.ts'
import type { Log } from '../../engine/ports/log.ts'
import type { Clock } from '../../engine/ports/world.ts'
import { writeKey } from '../../engine/task/key-bytes.ts'
import { fileUnreadable } from '../file-unreadable.ts'
import { timeMax } from '../time-max.ts'
import { checkIdentity, standardInput } from './input-format.ts'
import { leaveOut } from './input-record.ts'
import { contentHash, type InputOptions, openInput } from './open-input.ts'

/** Reads key and event time off a record's bytes. NaN: it has no event time of its own. A StreamError: the record is refused, as `onBad` says. */
export type RecordReader = (value: Uint8Array) => { readonly key: Uint8Array | null; readonly eventTime: number }

export interface TakeInOptions extends InputOptions {
  readonly log: Log
  readonly topic: string
  readonly file: string
  /** Names standard input, which has no content hash before it was read. */
  readonly sourceId?: string
  readonly read: RecordReader
  /** Why nothing may be added to the topic: see refusalOf. What is there already is passed over all the same. */
  readonly refusal?: StreamError | undefined
  readonly clock: Clock
  /** Told of records that are durable, and of the part of the file that was read; undefined where its size is not known. */
  readonly onTaken?: (records: number, share: number | undefined) => void
}

/**
 * Takes a file into a topic, each record once: its identity is the content's hash and its number, so that the same ingest again adds nothing
 * and one that was interrupted (also by `stop`) goes on. A file with a record that fails is not taken in at all: mended it has another hash,
 * and would add what is there already once more. What can be read only once is taken in up to that record, and the error says how far.
 * Errors: the refusal, USAGE when standard input has no source id, those of appendRecords.
 */
export async function takeIn({
  log,
  topic,
  file,
  sourceId,
  read,
  refusal,
  clock,
  onTaken,
  stop,
  onBad,
  ...input
}: TakeInOptions): Promise<{ skipped: number; added: number }> {
  const id = await sourceIdOf(topic, file, sourceId)
  const stopping = stop === undefined ? {} : { stop }
  const whole = await readThrough(file, read, { ...input, ...stopping, onBad })
  let bytesRead = 0
  const onBytes = (bytes: number) => {
    bytesRead = bytes
  }
  try {
    return await appendRecords(log, {
      id,
      topic,
      records: recordsOf(file, read, { ...input, ...stopping, onBad, onBytes }),
      ...stopping,
      ...(refusal === undefined ? {} : { refusal }),
      // Times of the log: the wall clock may be ahead of its append times. Standard input may trickle: what is there is soon in the log, with the time it came at.
      ...(file === standardInput ? { takenAt: () => log.clock(), flush: { clock, afterMs: flushAfterMs } } : { takenAt: log.clock() }),
      ...(onTaken === undefined ? {} : { onCommitted: (taken) => onTaken(taken, whole && bytesRead / whole.bytes) }),
    })
  } catch (error) {
    throw await withTaken(error, log, id)
  }
}

/**
 * BEFORE the first record is taken in: throws what the first one throws that fails, unless such are left out. @returns the size of the file;
 * undefined for what can be read only once, which is not read. FILE_UNREADABLE.
 */
export async function readThrough(file: string, read: RecordReader, options: InputOptions): Promise<{ bytes: number } | undefined> {
  const whole = await wholeFile(file)
  const onBad = options.onBad === 'fail' ? options.onBad : () => {}
  if (whole !== undefined) for await (const _ of recordsOf(file, read, { ...options, onBad }));
  return whole
}

/** Undefined for what can be read only once: standard input, a pipe. FILE_UNREADABLE. */
async function wholeFile(file: string): Promise<{ bytes: number } | undefined> {
  if (file === standardInput) return undefined
  const found = await stat(file).catch((cause: NodeJS.ErrnoException) => {
    throw fileUnreadable(file, cause)
  })
  return found.isFile() ? { bytes: found.size } : undefined
}

/** An error at a line, when records before it are in the log already. */
async function withTaken(error: unknown, log: Log, id: string): Promise<unknown> {
  if (!(error instanceof StreamError) || error.details.line === undefined) return error
  const taken = (await ingestEnd(log, id))?.seq ?? 0
  if (taken === 0) return error
  const fix = `${taken} records before it are in the log: send all of it again, mended or with --on-bad skip, under the same --source-id; those add nothing`
  return new StreamError(error.code, { ...error.details, taken }, { cause: error.cause, fix })
}

/** The producer that takes this source in: named by the file's content where no other name is given. USAGE for standard input without one. */
export async function sourceIdOf(topic: string, file: string, sourceId?: string): Promise<string> {
  checkIdentity(file, sourceId)
  return `ingest:${topic}:${sourceId ?? (await contentHash(file))}`
}

/** What trickles in is in the log soon. */
export const flushAfterMs = 200

/** Records of a file with key and event time. Their bytes are valid until the next one is asked for. */
export async function* recordsOf(file: string, read: RecordReader, options: InputOptions): AsyncIterable<NewRecord> {
  const { onBad, stop } = options
  for await (const batch of untilStopped(openInput(file, options), stop)) {
    for (const { line, value } of batch) {
      let fields: ReturnType<RecordReader>
      try {
        fields = read(value)
      } catch (error) {
        if (!(error instanceof StreamError)) throw error
        const refused = new StreamError(
          error.code,
          { file: file === standardInput ? 'standard input' : file, line, ...error.details },
          { fix: error.fix ?? leaveOut },
        )
        if (onBad === 'fail') throw refused
        onBad(refused)
        continue
      }
      yield { value, ...fields }
    }
  }
}

/** Reading that was told to stop ends behind the last whole batch. */
async function* untilStopped<T>(source: AsyncIterable<T>, stop: AbortSignal | undefined): AsyncIterable<T> {
  try {
    yield* source
  } catch (error) {
    if (!stop?.aborted) throw error
  }
}

/** Key and event time as a job's topic says. Records it can't decode are taken in all the same: the job's policy decides on them. */
export function readerOf(topic: TopicDefinition): RecordReader {
  const key = new ByteSink(256)
  const values: unknown[] = []
  return (value) => {
    const bytes = Buffer.alloc(value.length + 16)
    bytes.set(value)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const bad = topic.codec.decode(bytes, view, 0, Uint32Array.of(value.length), 0, 0, 1, values, 0)
    if (bad !== undefined) return { key: null, eventTime: Number.NaN }
    const found = topic.key?.(values[0]) ?? null
    key.reset()
    if (found !== null) writeKey(found, key)
    const time = topic.eventTime?.(values[0])
    return {
      key: found === null ? null : Buffer.from(key.buf.subarray(0, key.at)),
      eventTime: time !== undefined && Math.abs(time) <= timeMax ? time : Number.NaN,
    }
  }
}

/**
 * Key and event time by field names, for topics no job describes. Times: epoch ms, or text that Date.parse reads.
 * A record without the field that was named is refused: KEY_INVALID, EVENT_TIME_INVALID (details: field, found).
 */
export function fieldReader(keyField: string | undefined, timeField: string | undefined): RecordReader {
  if (keyField === undefined && timeField === undefined) return () => ({ key: null, eventTime: Number.NaN })
  const key = new ByteSink(256)
  return (value) => {
    const fields = objectOf(value)
    return {
      key: keyField === undefined ? null : keyOf(fields[keyField], keyField, key),
      eventTime: timeField === undefined ? Number.NaN : timeOf(fields[timeField], timeField),
    }
  }
}

function keyOf(found: unknown, field: string, key: ByteSink): Uint8Array {
  if (typeof found !== 'string' && !(typeof found === 'number' && Number.isFinite(found)))
    throw new StreamError('KEY_INVALID', { field, found })
  key.reset()
  writeKey(found, key)
  return Buffer.from(key.buf.subarray(0, key.at))
}

function timeOf(found: unknown, field: string): number {
  const time = typeof found === 'string' ? Date.parse(found) : found
  if (typeof time !== 'number' || !Number.isFinite(time)) throw new StreamError('EVENT_TIME_INVALID', { field, found })
  if (Math.abs(time) > timeMax)
    throw new StreamError('EVENT_TIME_INVALID', { field, found, reason: `no date has this time: the last one is ${timeMax}` })
  return time
}

function objectOf(value: Uint8Array): Record<string, unknown> {
  const parsed: unknown = JSON.parse(Buffer.from(value).toString())
  return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {}
}
