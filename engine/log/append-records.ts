import { BlockBuilder } from '../block/block-builder.ts'
import { StreamError } from '../errors.ts'
import type { EpochMs, NewRecord } from '../model/record.ts'
import type { Append, Log, ProducerEnd } from '../ports/log.ts'
import { partitionOf } from './partitioner.ts'
import { RecordDigest } from './record-digest.ts'

const commitBytes = 1 << 20
const inFlightMax = 4

export interface AppendRecords {
  /** The producer's name: what names this source of records, once and for all. */
  readonly id: string
  readonly topic: string
  /** Always the same records in the same order under one id; later runs may have more behind them. */
  readonly records: Iterable<NewRecord> | AsyncIterable<NewRecord>
  /** Event time of records that have none of their own (NaN): not part of what they are known by. Default: such records are an error of the caller. */
  readonly takenAt?: EpochMs
  /** By default by the key as Kafka does it, in turn for records without one. Must depend on the record and its number alone. */
  readonly partition?: (record: NewRecord, seq: number, partitions: number) => number
  /** Called when records are durable, with the count of all taken in so far under this id. */
  readonly onCommitted?: (seq: number) => void
}

/**
 * Takes records into a topic, each once: a record is known by (id, its number in the source). Done again it adds nothing, interrupted it
 * goes on where it stopped, and records that came behind the former end are added.
 * @returns counts of records that were there already and that were added; both durable.
 * @throws StreamError INGEST_SOURCE_CHANGED when the records taken in before are not those that come now; TOPIC_UNKNOWN; what `Producer.commit` says.
 */
export async function appendRecords(
  log: Log,
  { id, topic, records, partition, takenAt, onCommitted }: AppendRecords,
): Promise<{ skipped: number; added: number }> {
  const partitions = log.topic(topic)?.partitions
  if (partitions === undefined) throw new StreamError('TOPIC_UNKNOWN', { topic })
  const producer = await log.producer(id)
  const { end } = producer
  const digest = new RecordDigest(topic)
  const builders = Array.from({ length: partitions }, () => new BlockBuilder())
  const inFlight: Promise<void>[] = []
  let sent = end
  let seq = 0
  let bytes = 0

  const send = () => {
    const next: ProducerEnd = { seq, hash: digest.value() }
    const committed = producer.commit({ expect: sent, next, appends: takeAppends(topic, builders) }).then(() => onCommitted?.(next.seq))
    // Awaited below, in order: the first failure is the one that is told.
    committed.catch(() => {})
    inFlight.push(committed)
    sent = next
    bytes = 0
  }

  for await (const record of records) {
    const to = partition === undefined ? defaultPartition(record, seq, partitions) : partition(record, seq, partitions)
    digest.add(record, to)
    seq++
    if (seq <= end.seq) {
      if (seq === end.seq) checkUnchanged(id, end, seq, digest)
      continue
    }
    builders[to]!.add(Number.isNaN(record.eventTime) && takenAt !== undefined ? { ...record, eventTime: takenAt } : record)
    bytes += (record.key?.length ?? 0) + (record.value?.length ?? 0) + 16
    if (bytes < commitBytes) continue
    send()
    if (inFlight.length >= inFlightMax) await inFlight.shift()
  }
  if (seq < end.seq) checkUnchanged(id, end, seq, digest)
  if (sent.seq < seq) send()
  for (const committed of inFlight) await committed
  return { skipped: end.seq, added: seq - end.seq }
}

function defaultPartition({ key }: NewRecord, seq: number, partitions: number): number {
  return key === null ? seq % partitions : partitionOf(key, 0, key.length, partitions)
}

function takeAppends(topic: string, builders: readonly BlockBuilder[]): Append[] {
  const appends: Append[] = []
  for (const [partition, builder] of builders.entries()) {
    if (builder.count === 0) continue
    appends.push({ topic, partition, block: builder.finish() })
    builder.reset()
  }
  return appends
}

function checkUnchanged(id: string, end: ProducerEnd, seq: number, digest: RecordDigest): void {
  if (seq === end.seq && digest.value() === end.hash) return
  throw new StreamError('INGEST_SOURCE_CHANGED', { id, taken: end.seq, found: seq }, { fix: 'take changed content in under another id' })
}
