import type { EpochMs, Offset } from '../../engine/model/record.ts'
import type { Bounds, KeepChange, Log, LogReader, Pin, Producer, ProducerEnd, TopicInfo, TopicSpec } from '../../engine/ports/log.ts'

/** A log that leaves everything to another one. Wrappers override what they change. */
export class PassThroughLog implements Log {
  protected readonly inner: Log

  constructor(inner: Log) {
    this.inner = inner
  }

  producer(id: string): Promise<Producer> {
    return this.inner.producer(id)
  }

  reader(topic: string, partition: number, from: Offset): LogReader {
    return this.inner.reader(topic, partition, from)
  }

  topics(): readonly TopicInfo[] {
    return this.inner.topics()
  }

  topic(name: string): TopicInfo | undefined {
    return this.inner.topic(name)
  }

  createTopic(spec: TopicSpec): Promise<TopicInfo> {
    return this.inner.createTopic(spec)
  }

  setTopic(name: string, change: KeepChange): Promise<TopicInfo> {
    return this.inner.setTopic(name, change)
  }

  deleteTopic(name: string): Promise<void> {
    return this.inner.deleteTopic(name)
  }

  trim(topic: string, partition: number, before: Offset): Promise<void> {
    return this.inner.trim(topic, partition, before)
  }

  pin(topic: string, partition: number, from: Offset): Pin {
    return this.inner.pin(topic, partition, from)
  }

  bounds(topic: string, partition: number): Bounds {
    return this.inner.bounds(topic, partition)
  }

  clock(): EpochMs {
    return this.inner.clock()
  }

  changed(seen: number, signal?: AbortSignal): Promise<void> {
    return this.inner.changed(seen, signal)
  }

  changes(): number {
    return this.inner.changes()
  }

  producers(): readonly string[] {
    return this.inner.producers()
  }

  producerEnd(id: string): ProducerEnd | undefined {
    return this.inner.producerEnd(id)
  }

  forgetProducer(id: string, epoch: number): Promise<void> {
    return this.inner.forgetProducer(id, epoch)
  }

  close(): Promise<void> {
    return this.inner.close()
  }
}
