import { BlockBuilder } from '../engine/block/block-builder.ts'
import { StreamError } from '../engine/errors.ts'
import { partitionOf } from '../engine/log/partitioner.ts'
import { layToRest, takeUp } from '../engine/log/producer-rest.ts'
import type { NewRecord } from '../engine/model/record.ts'
import type { Append, Log, Producer, ProducerEnd } from '../engine/ports/log.ts'
import { Turn } from './turn.ts'

export interface Appended {
  readonly added: number
  /** Were there already, by their numbers. */
  readonly skipped: number
  /** Of the producer: the number its next record has. */
  readonly nextSequence: number
}

/**
 * Appends records of one source to one topic, in the order of the calls. A source that numbers its records has each taken once, whatever it
 * sends again.
 */
export class TopicAppender {
  private readonly log: Log
  private readonly topic: string
  private readonly id: string
  private producer: Producer | undefined
  private end: ProducerEnd = { seq: 0, hash: '' }
  private readonly turn = new Turn()
  private pending = 0

  /** @param id names the source, once and for all. */
  constructor(log: Log, topic: string, id: string) {
    this.log = log
    this.topic = topic
    this.id = id
  }

  /**
   * Durable when it resolves. @param sequence number of the first record, from 0; undefined: they are new.
   * Errors: TOPIC_UNKNOWN, REQUEST_INVALID (a gap in the numbers), those of Producer.commit.
   */
  append(records: readonly NewRecord[], sequence?: number): Promise<Appended> {
    return this.inTurn(() => this.appendNow(records, sequence))
  }

  /** Nothing is under way or waits for its turn. */
  get idle(): boolean {
    return this.pending === 0
  }

  /** The log keeps nothing of it but a record, until the next append. Errors: those of Producer.commit. */
  rest(): Promise<void> {
    return this.inTurn(async () => {
      await this.open()
      const producer = this.producer!
      this.producer = undefined
      // Nothing was ever taken of it: there is nothing to remember.
      if (this.end.seq === 0) await this.log.forgetProducer(producer.id, producer.epoch)
      else await layToRest(this.log, producer, this.end)
    })
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    this.pending++
    return this.turn.take(work).finally(() => this.pending--)
  }

  private async open(): Promise<void> {
    if (this.producer !== undefined) return
    const producer = await this.log.producer(this.id)
    this.end = await takeUp(this.log, producer)
    this.producer = producer
  }

  private async appendNow(records: readonly NewRecord[], sequence: number | undefined): Promise<Appended> {
    const info = this.log.topic(this.topic)
    if (info === undefined) throw new StreamError('TOPIC_UNKNOWN', { topic: this.topic })
    await this.open()
    const first = sequence ?? this.end.seq
    if (first > this.end.seq) {
      throw new StreamError(
        'REQUEST_INVALID',
        { producer: this.id, sequence: first, expected: this.end.seq, reason: 'records before these were not taken in' },
        { fix: `send what comes from number ${this.end.seq} on` },
      )
    }
    const skipped = Math.min(records.length, this.end.seq - first)
    const fresh = records.slice(skipped)
    if (fresh.length > 0) await this.commit(fresh, info.partitions)
    return { added: fresh.length, skipped, nextSequence: this.end.seq }
  }

  private async commit(records: readonly NewRecord[], partitions: number): Promise<void> {
    const builders = Array.from({ length: partitions }, () => new BlockBuilder())
    records.forEach((record, i) => {
      const { key } = record
      const to = key === null ? (this.end.seq + i) % partitions : partitionOf(key, 0, key.length, partitions)
      builders[to]!.add(record)
    })
    const appends: Append[] = []
    builders.forEach((builder, partition) => {
      if (builder.count > 0) appends.push({ topic: this.topic, partition, block: builder.finish() })
    })
    const next = { seq: this.end.seq + records.length, hash: '' }
    try {
      await this.producer!.commit({ expect: this.end, next, appends })
      this.end = next
    } catch (error) {
      // Whether it took place the next call finds out.
      this.producer = undefined
      throw error
    }
  }
}
