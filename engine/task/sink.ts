import type { BlockBuilder } from '../block/block-builder.ts'
import type { BlockView } from '../block/block-view.ts'
import { ByteSink } from '../block/byte-sink.ts'
import { StreamError } from '../errors.ts'
import { partitionOf } from '../log/partitioner.ts'
import type { Key } from '../model/record.ts'
import type { TopicDefinition } from '../model/topology.ts'
import { costOf } from './budget.ts'
import { keyOf, writeKey } from './key-bytes.ts'
import type { TaskMoment } from './moment.ts'

/**
 * Writes values to a topic: key, partition by key, value by the topic's codec.
 * A table also takes back what it published: a value retracted and not replaced by one of the same key at once becomes a tombstone.
 */
export class Sink {
  private readonly topic: TopicDefinition
  private readonly builders: readonly BlockBuilder[]
  private readonly moment: TaskMoment
  private readonly keyScratch = new ByteSink(256)
  private withdrawn: { key: Key; eventTime: number } | undefined = undefined

  constructor(topic: TopicDefinition, builders: readonly BlockBuilder[], moment: TaskMoment) {
    this.topic = topic
    this.builders = builders
    this.moment = moment
  }

  /** @returns what it takes of the slice's budget. Throws OUTPUT_INVALID, KEY_INVALID and what the topic's key function throws; nothing is written then. */
  write(value: unknown): number {
    const { moment, topic } = this
    if (moment.retract) {
      if (topic.kind === 'table') this.withdraw(value)
      return 0
    }
    if (topic.key === undefined && this.withdrawn === undefined && value !== null) {
      const block = moment.keyBlock
      if (block !== undefined) return this.writeUnder(block, value)
    }
    const key = this.keyOf(value)
    if (this.withdrawn?.key !== key) this.settle()
    const keyless = key === undefined
    const builder = keyless ? this.builders[moment.partition % this.builders.length]! : this.openRecord(key)
    this.encode(value, builder)
    if (keyless || value === null) builder.endWith(moment.eventTime, [], keyless, value === null)
    else builder.end(moment.eventTime)
    // Only now: what was taken back must go also when nothing can be written in its place.
    this.withdrawn = undefined
    return costOf(builder.lastBytes)
  }

  /** The source record's key goes on as it came, without being read. */
  private writeUnder(block: BlockView, value: unknown): number {
    const { index } = this.moment
    const { bytes } = block.chunk
    const start = block.keyStart(index)
    const end = block.keyEnd(index)
    const builder = this.builders[partitionOf(bytes, start, end, this.builders.length)]!
    builder.keys.copy(bytes, start, end)
    this.encode(value, builder)
    builder.end(this.moment.eventTime)
    return costOf(builder.lastBytes)
  }

  /** Writes the tombstone of a withdrawn row that nothing replaced. Call at the end of a slice. */
  settle(): void {
    if (this.withdrawn === undefined) return
    const { key, eventTime } = this.withdrawn
    this.withdrawn = undefined
    this.openRecord(key).endWith(eventTime, [], false, true)
  }

  private withdraw(value: unknown): void {
    this.settle()
    const key = this.keyOf(value)
    if (key !== undefined) this.withdrawn = { key, eventTime: this.moment.eventTime }
  }

  /** A tombstone has no value to tell its key from. @returns undefined for none. Errors: KEY_INVALID. */
  private keyOf(value: unknown): Key | undefined {
    const { topic, moment } = this
    if (topic.key === undefined || value === null) return moment.key
    const given = topic.key(value)
    const key = keyOf(given)
    if (key !== undefined || given === undefined || given === null) return key
    throw new StreamError('KEY_INVALID', { topic: topic.name, key: String(given) })
  }

  /** Finds the key's partition and writes its bytes there. */
  private openRecord(key: Key): BlockBuilder {
    const { builders, keyScratch } = this
    if (builders.length === 1) {
      writeKey(key, builders[0]!.keys)
      return builders[0]!
    }
    keyScratch.reset()
    writeKey(key, keyScratch)
    const builder = builders[partitionOf(keyScratch.buf, 0, keyScratch.at, builders.length)]!
    builder.keys.copy(keyScratch.buf, 0, keyScratch.at)
    return builder
  }

  private encode(value: unknown, builder: BlockBuilder): void {
    if (value === null && this.topic.kind === 'table') return
    try {
      this.topic.codec.encode(value, builder.values)
    } catch (error) {
      builder.dropOpen()
      throw error
    }
  }
}
