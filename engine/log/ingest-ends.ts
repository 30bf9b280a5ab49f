import { BlockBuilder } from '../block/block-builder.ts'
import { StreamError } from '../errors.ts'
import type { EpochMs } from '../model/record.ts'
import type { Append, Log, LogView, ProducerEnd } from '../ports/log.ts'
import { readRecords } from './read-records.ts'

/** How far sources were taken in whose producers the log has forgotten: what is remembered of every source, for ever, in records. */
export const ingestEndsTopic = 'reprise.ingest-ends'

/** How far the source of this name was taken in; undefined when nothing ever was. Errors: LOG_CORRUPT. */
export async function ingestEnd(log: LogView, id: string): Promise<ProducerEnd | undefined> {
  // A producer that is there has come at least as far as any record of it.
  const end = log.producerEnd(id)
  return end !== undefined && end.seq > 0 ? end : ((await recordedEnd(log, id)) ?? end)
}

/** The same by the records alone: reads all of them, one for each time a source had something new. */
export async function recordedEnd(log: Pick<LogView, 'topic' | 'bounds' | 'reader'>, id: string): Promise<ProducerEnd | undefined> {
  if (log.topic(ingestEndsTopic) === undefined) return undefined
  const key = Buffer.from(id)
  let end: ProducerEnd | undefined
  for await (const record of readRecords(log, ingestEndsTopic, 0, log.bounds(ingestEndsTopic, 0).start))
    if (record.key !== null && key.equals(record.key)) end = parse(record.value, record.offset)
  return end
}

/** What records it; the topic is made if need be. */
export async function recordOfEnd(log: Log, id: string, { seq, hash }: ProducerEnd, at: EpochMs): Promise<Append> {
  await log.createTopic({ name: ingestEndsTopic, partitions: 1, kind: 'internal' })
  const builder = new BlockBuilder()
  builder.add({ key: Buffer.from(id), value: Buffer.from(JSON.stringify({ seq, hash })), eventTime: at })
  return { topic: ingestEndsTopic, partition: 0, block: builder.finish() }
}

function parse(value: Uint8Array | null, offset: number): ProducerEnd {
  try {
    const { seq, hash } = JSON.parse(Buffer.from(value ?? []).toString()) as ProducerEnd
    if (Number.isSafeInteger(seq) && typeof hash === 'string') return { seq, hash }
  } catch (cause) {
    throw new StreamError('LOG_CORRUPT', { topic: ingestEndsTopic, offset, reason: 'not the end of a source' }, { cause })
  }
  throw new StreamError('LOG_CORRUPT', { topic: ingestEndsTopic, offset, reason: 'not the end of a source' })
}
