import { BlockBuilder } from '../block/block-builder.ts'
import { StreamError } from '../errors.ts'
import type { EpochMs } from '../model/record.ts'
import type { Append, Log, LogView, ProducerEnd, TopicInfo } from '../ports/log.ts'
import { partitionOf } from './partitioner.ts'
import { readRecords } from './read-records.ts'

/** How far sources were taken in whose producers the log has forgotten: what is remembered of every source, for ever, in records. */
export const ingestEndsTopic = 'reprise.ingest-ends'

/** Of a new topic; a source has its place by its name. Whoever asks for one source reads one partition. */
const partitionsOfEnds = 16

/** How far the source of this name was taken in; undefined when nothing ever was. Errors: LOG_CORRUPT. */
export async function ingestEnd(log: LogView, id: string): Promise<ProducerEnd | undefined> {
  // A producer that is there has come at least as far as any record of it.
  const end = log.producerEnd(id)
  return end !== undefined && end.seq > 0 ? end : ((await recordedEnd(log, id)) ?? end)
}

/** The same by the records alone: reads all of a partition, one for each time a source of it had something new. */
export async function recordedEnd(log: Pick<LogView, 'topic' | 'bounds' | 'reader'>, id: string): Promise<ProducerEnd | undefined> {
  const topic = log.topic(ingestEndsTopic)
  if (topic === undefined) return undefined
  const key = Buffer.from(id)
  const partition = placeOf(key, topic)
  let end: ProducerEnd | undefined
  for await (const record of readRecords(log, ingestEndsTopic, partition, log.bounds(ingestEndsTopic, partition).start))
    if (record.key !== null && key.equals(record.key)) end = parse(record.value, record.offset)
  return end
}

/** What records it; the topic is made if need be. */
export async function recordOfEnd(log: Log, id: string, { seq, hash }: ProducerEnd, at: EpochMs): Promise<Append> {
  // An older data directory has one with a single partition, which stays.
  const topic =
    log.topic(ingestEndsTopic) ?? (await log.createTopic({ name: ingestEndsTopic, partitions: partitionsOfEnds, kind: 'internal' }))
  const key = Buffer.from(id)
  const builder = new BlockBuilder()
  builder.add({ key, value: Buffer.from(JSON.stringify({ seq, hash })), eventTime: at })
  return { topic: ingestEndsTopic, partition: placeOf(key, topic), block: builder.finish() }
}

function placeOf(key: Uint8Array, { partitions }: TopicInfo): number {
  return partitionOf(key, 0, key.length, partitions)
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
