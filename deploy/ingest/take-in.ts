import { ByteSink } from '../../engine/block/byte-sink.ts'
import { StreamError } from '../../engine/errors.ts'
import { appendRecords } from '../../engine/log/append-records.ts'
import type { NewRecord } from '../../engine/model/record.ts'
import type { TopicDefinition } from '../../engine/model/topology.ts'
import type { Log } from '../../engine/ports/log.ts'
import { writeKey } from '../../engine/task/key-bytes.ts'
import { contentHash, type InputOptions, openInput, standardInput } from './open-input.ts'

/** Reads key and event time off a record's bytes. NaN: it has no event time of its own. */
export type RecordReader = (value: Uint8Array) => { readonly key: Uint8Array | null; readonly eventTime: number }

export interface TakeInOptions extends InputOptions {
  readonly log: Log
  readonly topic: string
  readonly file: string
  /** Names standard input, which has no content hash before it was read. */
  readonly sourceId?: string
  readonly read: RecordReader
  readonly now: number
  readonly onTaken?: (records: number) => void
}

/**
 * Takes a file into a topic, each record once: its identity is the content's hash and its number, so that the same ingest again adds nothing
 * and one that was interrupted goes on. USAGE when standard input has no source id.
 */
export async function takeIn({ log, topic, file, sourceId, read, now, onTaken, ...input }: TakeInOptions): Promise<{ skipped: number; added: number }> {
  if (file === standardInput && sourceId === undefined) {
    throw new StreamError('USAGE', { reason: 'standard input has no identity of its own' }, { fix: 'add --source-id NAME: the same records under the same name are taken in once' })
  }
  const id = await sourceIdOf(topic, file, sourceId)
  return appendRecords(log, {
    id,
    topic,
    takenAt: now,
    records: records(openInput(file, input), read),
    ...(onTaken === undefined ? {} : { onCommitted: onTaken }),
  })
}

/** The producer that takes this source in: named by the file's content where no other name is given. */
export async function sourceIdOf(topic: string, file: string, sourceId?: string): Promise<string> {
  return `ingest:${topic}:${sourceId ?? (await contentHash(file))}`
}

async function* records(batches: ReturnType<typeof openInput>, read: RecordReader): AsyncIterable<NewRecord> {
  for await (const batch of batches) for (const { value } of batch) yield { value, ...read(value) }
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
      eventTime: time !== undefined && Number.isFinite(time) ? time : Number.NaN,
    }
  }
}

/** Key and event time by field names, for topics no job describes. Times: epoch ms, or text that Date.parse reads. */
export function fieldReader(keyField: string | undefined, timeField: string | undefined): RecordReader {
  return (value) => {
    const fields = keyField === undefined && timeField === undefined ? {} : objectOf(value)
    const key = keyField === undefined ? undefined : fields[keyField]
    const time = timeField === undefined ? undefined : fields[timeField]
    return {
      key: typeof key === 'string' || typeof key === 'number' ? Buffer.from(String(key)) : null,
      eventTime: typeof time === 'number' ? time : typeof time === 'string' ? Date.parse(time) : Number.NaN,
    }
  }
}

function objectOf(value: Uint8Array): Record<string, unknown> {
  const parsed: unknown = JSON.parse(Buffer.from(value).toString())
  return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {}
}
