import { StreamError } from '../../errors.ts'
import type { EpochMs } from '../../model/record.ts'
import type { Commit, Committed, KeepChange, ProducerEnd, TopicInfo, TopicSpec } from '../../ports/log.ts'
import { checkEnd, noEnd } from '../check-end.ts'
import { checkCommitSize } from '../limits.ts'
import { isNewTopic, settingsOf, withKeep } from '../topic-spec.ts'
import { MemoryPartition } from './memory-partition.ts'
import { takeBlock } from './stored-block.ts'

export interface MemoryTopic {
  info: TopicInfo
  readonly partitions: readonly MemoryPartition[]
}

/**
 * What a disk would hold: outlives every MemoryLog opened on it.
 * I1 a commit is validated as a whole BEFORE any of it takes effect, and takes effect without a pause: it is atomic.
 * I2 the last append time never goes back.
 */
export class MemoryStorage {
  readonly topics = new Map<string, MemoryTopic>()
  lastAppendTime: EpochMs = 0
  private readonly producers = new Map<string, { epoch: number; end: ProducerEnd }>()
  /** Of all producers, so that a name that was forgotten never has the same twice. */
  private lastEpoch = 0
  private lastTopicId = 0

  createTopic(spec: TopicSpec): { info: TopicInfo; created: boolean } {
    const existing = this.topics.get(spec.name)?.info
    if (!isNewTopic(spec, existing)) return { info: existing!, created: false }
    const info = Object.freeze({ ...settingsOf(spec), id: ++this.lastTopicId })
    this.topics.set(spec.name, { info, partitions: Array.from({ length: spec.partitions }, (_, i) => new MemoryPartition(info, i)) })
    return { info, created: true }
  }

  setTopic(name: string, change: KeepChange): TopicInfo {
    const topic = this.topic(name)
    topic.info = Object.freeze(withKeep(topic.info, change))
    for (const partition of topic.partitions) partition.topic = topic.info
    return topic.info
  }

  /** @throws StreamError TOPIC_UNKNOWN (details: topic). */
  topic(name: string): MemoryTopic {
    const topic = this.topics.get(name)
    if (topic === undefined) throw new StreamError('TOPIC_UNKNOWN', { topic: name })
    return topic
  }

  /** @throws StreamError TOPIC_UNKNOWN (details: topic, partition). */
  partition(topic: string, number: number): MemoryPartition {
    const partition = this.topic(topic).partitions[number]
    if (partition === undefined) throw new StreamError('TOPIC_UNKNOWN', { topic, partition: number })
    return partition
  }

  openProducer(id: string): { epoch: number; end: ProducerEnd } {
    const end = this.producers.get(id)?.end ?? { seq: 0, hash: '' }
    const opened = { epoch: ++this.lastEpoch, end }
    this.producers.set(id, opened)
    return { ...opened }
  }

  get producerNames(): string[] {
    return [...this.producers.keys()]
  }

  producerEnd(id: string): ProducerEnd | undefined {
    return this.producers.get(id)?.end
  }

  forgetProducer(id: string, epoch: number): void {
    this.heldProducer(id, epoch)
    this.producers.delete(id)
  }

  private heldProducer(id: string, epoch: number) {
    const producer = this.producers.get(id)
    if (producer?.epoch === epoch) return producer
    throw new StreamError('COMMIT_FENCED', { producer: id, epoch, newest: producer?.epoch ?? 'forgotten' })
  }

  commit(id: string, epoch: number, { expect, others = [], next, appends }: Commit, now: EpochMs): Committed {
    const producer = this.heldProducer(id, epoch)
    checkEnd(id, expect, producer.end)
    for (const other of others) checkEnd(other.producer, other.end, this.producerEnd(other.producer) ?? noEnd)
    checkCommitSize(appends)
    const partitions = appends.map(({ topic, partition }) => this.partition(topic, partition))
    const blocks = appends.map(({ block }) => takeBlock(block))
    const appendTime = this.advanceClock(now)
    const baseOffsets = blocks.map((block, i) => partitions[i]!.append(block, appendTime))
    producer.end = { seq: next.seq, hash: next.hash }
    return { appendTime, baseOffsets }
  }

  advanceClock(now: EpochMs): EpochMs {
    this.lastAppendTime = Math.max(this.lastAppendTime, Math.floor(now))
    return this.lastAppendTime
  }
}
