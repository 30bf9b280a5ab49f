import { BlockBuilder } from '../block/block-builder.ts'
import { StreamError } from '../errors.ts'
import type { EpochMs, NewRecord } from '../model/record.ts'
import type { Append, Log, ProducerEnd } from '../ports/log.ts'
import type { Clock } from '../ports/world.ts'
import { partitionOf } from './partitioner.ts'
import { layToRest, takeUp } from './producer-rest.ts'
import { RecordDigest } from './record-digest.ts'

const commitBytes = 1 << 20
const inFlightMax = 4

export interface AppendRecords {
  /** The producer's name: what names this source of records, once and for all. */
  readonly id: string
  readonly topic: string
  /** Always the same records in the same order under one id; later runs may have more behind them. */
  readonly records: Iterable<NewRecord> | AsyncIterable<NewRecord>
  /** Event time of records that have none of their own (NaN): not part of what they are known by. A function is asked for each. Default: such records are an error of the caller. */
  readonly takenAt?: EpochMs | (() => EpochMs)
  /** By default by the key as Kafka does it, in turn for records without one. Must depend on the record and its number alone. */
  readonly partition?: (record: NewRecord, seq: number, partitions: number) => number
  /** For sources that trickle: what is gathered is committed after so long, although it is little. The records and their identity stay the same. */
  readonly flush?: { readonly clock: Clock; readonly afterMs: number }
  /** Why nothing may be added any more: thrown at the first record that was not taken in before. */
  readonly refusal?: StreamError
  /** Aborted: no more records are taken; those that were are durable when the call ends, and the next call goes on behind them. */
  readonly stop?: AbortSignal
  /** Called when records are durable, with the count of all taken in so far under this id. */
  readonly onCommitted?: (seq: number) => void
}

/**
 * Takes records into a topic, each once: a record is known by (id, its number in the source). Done again it adds nothing, interrupted it
 * goes on where it stopped, and records that came behind the former end are added.
 * @returns counts of records that were there already and that were added; both durable.
 * @throws StreamError the refusal; INGEST_SOURCE_CHANGED when the records taken in before are not those that come now; TOPIC_UNKNOWN; what `Producer.commit` says.
 */
export async function appendRecords(
  log: Log,
  { id, topic, records, partition, takenAt, flush, refusal, stop, onCommitted }: AppendRecords,
): Promise<{ skipped: number; added: number }> {
  const info = log.topic(topic)
  if (info === undefined) throw new StreamError('TOPIC_UNKNOWN', { topic })
  const { partitions } = info
  const producer = await log.producer(id)
  const end = await takeUp(log, producer)
  const digest = new RecordDigest(topic)
  const builders = Array.from({ length: partitions }, () => new BlockBuilder())
  const inFlight = new Set<Promise<void>>()
  const ended = new AbortController()
  let failure: { readonly error: unknown } | undefined
  let sent = end
  let seq = 0
  let bytes = 0
  let gatheredFrom = 0
  let flushing = false

  const send = () => {
    const next: ProducerEnd = { seq, hash: digest.value() }
    const committed: Promise<void> = producer.commit({ expect: sent, next, appends: takeAppends(topic, builders) }).then(
      () => {
        inFlight.delete(committed)
        onCommitted?.(next.seq)
      },
      (error: unknown) => {
        // Commits fail in the order they were sent: the first failure is the one that is told.
        inFlight.delete(committed)
        failure ??= { error }
      },
    )
    inFlight.add(committed)
    sent = next
    bytes = 0
  }

  const throwFailure = () => {
    if (failure !== undefined) throw failure.error
  }

  /** Runs between two records, while the source is waited for. */
  const flushLater = async ({ clock, afterMs }: NonNullable<AppendRecords['flush']>) => {
    flushing = true
    while (sent.seq < seq && !ended.signal.aborted && failure === undefined) {
      const left = gatheredFrom + afterMs - clock.monotonic()
      if (left > 0) await clock.sleep(left, ended.signal)
      else if (inFlight.size < inFlightMax) send()
      else await Promise.race(inFlight)
    }
    flushing = false
  }

  try {
    await takeAll()
  } catch (error) {
    ended.abort()
    // The source failed, not the log: what was taken of it so far is left as at an end. If that fails too, its producer is kept.
    await Promise.all(inFlight)
    if (failure === undefined) await layToRest(log, producer, sent).catch(() => {})
    throw error
  }
  ended.abort()
  await layToRest(log, producer, sent)
  return { skipped: end.seq, added: Math.max(0, seq - end.seq) }

  async function takeAll(): Promise<void> {
    for await (const record of records) {
      throwFailure()
      if (stop?.aborted) break
      const to = partition === undefined ? defaultPartition(record, seq, partitions) : partition(record, seq, partitions)
      digest.add(record, to)
      seq++
      if (seq <= end.seq) {
        if (seq === end.seq) checkUnchanged(id, end, seq, digest)
        continue
      }
      if (refusal !== undefined) throw refusal
      if (bytes === 0 && flush !== undefined) gatheredFrom = flush.clock.monotonic()
      builders[to]!.add(Number.isNaN(record.eventTime) && takenAt !== undefined ? { ...record, eventTime: timeOf(takenAt) } : record)
      bytes += (record.key?.length ?? 0) + (record.value?.length ?? 0) + 16
      if (bytes >= commitBytes) {
        send()
        while (inFlight.size >= inFlightMax) await Promise.race(inFlight)
      } else if (flush !== undefined && !flushing) void flushLater(flush)
    }
    if (seq < end.seq && !stop?.aborted) checkUnchanged(id, end, seq, digest)
    throwFailure()
    if (sent.seq < seq) send()
    await Promise.all(inFlight)
    throwFailure()
  }
}

function defaultPartition({ key }: NewRecord, seq: number, partitions: number): number {
  return key === null ? seq % partitions : partitionOf(key, 0, key.length, partitions)
}

function timeOf(takenAt: NonNullable<AppendRecords['takenAt']>): EpochMs {
  return typeof takenAt === 'number' ? takenAt : takenAt()
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
  throw new StreamError(
    'INGEST_SOURCE_CHANGED',
    { id, taken: end.seq, found: seq },
    {
      fix: 'take it in as it was the first time: the same records, with the same key and event time; or as another source: --source-id NAME',
    },
  )
}
