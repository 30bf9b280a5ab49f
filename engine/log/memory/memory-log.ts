import { assert } from '../../assert.ts'
import { StreamError } from '../../errors.ts'
import type { EpochMs, Offset } from '../../model/record.ts'
import type {
  Bounds,
  Commit,
  Committed,
  KeepChange,
  Log,
  LogReader,
  Pin,
  Producer,
  ProducerEnd,
  TopicInfo,
  TopicSpec,
} from '../../ports/log.ts'
import { type Clock, noProbe, type Probe } from '../../ports/world.ts'
import { ChangeCounter } from '../change-counter.ts'
import { MemoryReader } from './memory-reader.ts'
import { MemoryStorage } from './memory-storage.ts'

export interface MemoryLogOptions {
  readonly clock: Clock
  readonly probe?: Probe
  /** Awaited BEFORE a commit takes effect; while it is pending so are the producer's later ones. Never settling: the commit is lost. */
  readonly deliver?: () => Promise<void>
  /** Awaited AFTER a commit took effect and before its answer. Never settling: the answer is lost. Rejecting: the error is the answer. */
  readonly settle?: () => Promise<void>
}

/**
 * The reference adapter of the Log port: deterministic, keeps everything in memory.
 * A task, a producer or a process that "crashed" is one that was dropped: what had taken effect stays and is found by `reopen`.
 */
export class MemoryLog implements Log {
  private readonly options: MemoryLogOptions
  private readonly storage: MemoryStorage
  private readonly counter = new ChangeCounter()
  private readonly probe: Probe
  private closed = false

  constructor(options: MemoryLogOptions, storage = new MemoryStorage()) {
    this.options = options
    this.storage = storage
    this.probe = options.probe ?? noProbe
  }

  /** The same records in a new log, as after a restart of the process: this one is closed, pins are gone. */
  reopen(options: MemoryLogOptions = this.options): MemoryLog {
    this.end()
    return new MemoryLog(options, this.storage)
  }

  topics(): readonly TopicInfo[] {
    return [...this.storage.topics.values()].map((topic) => topic.info)
  }

  topic(name: string): TopicInfo | undefined {
    return this.storage.topics.get(name)?.info
  }

  async createTopic(spec: TopicSpec): Promise<TopicInfo> {
    this.checkOpen()
    const { info, created } = this.storage.createTopic(spec)
    if (created) this.counter.bump()
    return info
  }

  async setTopic(name: string, change: KeepChange): Promise<TopicInfo> {
    this.checkOpen()
    return this.storage.setTopic(name, change)
  }

  async deleteTopic(name: string): Promise<void> {
    this.checkOpen()
    this.storage.topic(name)
    this.storage.topics.delete(name)
    this.counter.bump()
  }

  async trim(topic: string, partition: number, before: Offset): Promise<void> {
    this.checkOpen()
    if (this.storage.partition(topic, partition).trim(before)) this.counter.bump()
  }

  pin(topic: string, partition: number, from: Offset): Pin {
    return this.storage.partition(topic, partition).pin(from)
  }

  bounds(topic: string, partition: number): Bounds {
    return this.storage.partition(topic, partition).bounds
  }

  clock(): EpochMs {
    return this.storage.advanceClock(this.options.clock.now())
  }

  changed(seen: number, signal?: AbortSignal): Promise<void> {
    return this.counter.changed(seen, signal)
  }

  changes(): number {
    return this.counter.count
  }

  reader(topic: string, partition: number, from: Offset): LogReader {
    this.storage.partition(topic, partition)
    const { id } = this.storage.topic(topic).info
    return new MemoryReader(from, () => {
      this.checkOpen()
      if (this.topic(topic)?.id !== id) throw new StreamError('TOPIC_UNKNOWN', { topic })
      return this.storage.partition(topic, partition)
    })
  }

  async producer(id: string): Promise<Producer> {
    this.checkOpen()
    const { epoch, end } = this.storage.openProducer(id)
    let sent: Promise<unknown> = Promise.resolve()
    const commit = (commit: Commit): Promise<Committed> => {
      const delivered = sent.then(this.options.deliver)
      const effect = delivered.then(() => this.take(id, epoch, commit))
      // Whether this one is refused does not matter to the order of the next.
      sent = effect.catch(() => {})
      return effect.then(async (committed) => {
        await this.options.settle?.()
        return committed
      })
    }
    return { id, epoch, end, commit }
  }

  producers(): readonly string[] {
    return this.storage.producerNames
  }

  producerEnd(id: string): ProducerEnd | undefined {
    return this.storage.producerEnd(id)
  }

  async forgetProducer(id: string, epoch: number): Promise<void> {
    this.checkOpen()
    this.storage.forgetProducer(id, epoch)
  }

  /** Deletes what is older or more than the topics' retention allows, in whole blocks, below every pin. */
  retain(now: EpochMs): void {
    const changed = [...this.storage.topics.values()].flatMap((topic) => topic.partitions.map((partition) => partition.retain(now)))
    if (changed.includes(true)) this.counter.bump()
  }

  /** Removes the older values of each key of a compacted topic, below every pin. */
  compact(topic: string): void {
    const { info, partitions } = this.storage.topic(topic)
    assert(info.compacted, () => `topic ${topic} is not compacted`)
    for (const partition of partitions) partition.compact()
  }

  async close(): Promise<void> {
    this.end()
  }

  private take(id: string, epoch: number, commit: Commit): Committed {
    this.checkOpen()
    this.probe.at('memory-log.before-commit')
    const committed = this.storage.commit(id, epoch, commit, this.options.clock.now())
    if (commit.appends.length > 0) this.counter.bump()
    this.probe.at('memory-log.after-commit')
    return committed
  }

  private end(): void {
    if (this.closed) return
    this.closed = true
    this.counter.end()
    for (const { partitions } of this.storage.topics.values()) for (const partition of partitions) partition.releasePins()
  }

  private checkOpen(): void {
    if (this.closed) throw new StreamError('LOG_UNAVAILABLE', { reason: 'closed' })
  }
}
