import { assert, assertNever } from '../../assert.ts'
import { StreamError } from '../../errors.ts'
import type { EpochMs, Offset } from '../../model/record.ts'
import type { Bounds, ProducerEnd, TopicInfo } from '../../ports/log.ts'
import { logFileName } from './file-names.ts'
import { type BlockEntry, type FrameHead, frameKind, readDetail, readEnds, readEntries } from './frame.ts'
import { blocksFileName, type ClosedLog, filesOf, type Operation, type SegmentInfo } from './operation.ts'
import { PartitionIndex } from './partition-index.ts'

export interface PartitionState {
  start: Offset
  end: Offset
  readonly index: PartitionIndex
}

export interface TopicState {
  info: TopicInfo
  readonly partitions: readonly PartitionState[]
}

/** What a holder knows a producer by. The number tells it from one of the same name that was forgotten. */
export interface ProducerHold {
  readonly name: string
  readonly number: number
  readonly epoch: number
}

export interface ProducerState {
  readonly name: string
  readonly number: number
  epoch: number
  end: ProducerEnd
}

/**
 * Owns: what the log contains, as of the last frame applied: topics, bounds, producers, the list of files, where the blocks are.
 * The writer, recovery and readers in other threads all bring it forward by applying the same frames.
 *
 * Invariants:
 * I1 it changes by whole frames only, in commit order;
 * I2 a frame is applied only after it is durable (the writer) or verified (recovery, readers);
 * I3 each offset in [start, end) of a partition lies in at most one listed file.
 */
export class Catalog {
  readonly topics = new Map<number, TopicState>()
  readonly topicsByName = new Map<string, TopicState>()
  readonly producers = new Map<string, ProducerState>()
  readonly producersByNumber = new Map<number, ProducerState>()
  /** Closed log files that are no part of a segment yet, by number. */
  readonly logs = new Map<number, ClosedLog>()
  readonly segments = new Map<number, SegmentInfo>()
  commitNumber = 0
  appendTime: EpochMs = 0
  nextFile = 1
  nextTopic = 1
  nextProducer = 1
  /** Counts the changes of the file list: a reader that misses a file looks whether it moved. */
  edits = 0

  /**
   * Applies the frame at `at`; `at` is where it stands in bytes, its own position where it stands in the file.
   * @param indexed false: its blocks will be found elsewhere (carried over into a new file).
   */
  apply(bytes: Buffer, at: number, frame: FrameHead, indexed = true): void {
    assert(frame.commitNumber === this.commitNumber + 1, () => `frame ${frame.commitNumber} applied after ${this.commitNumber}`)
    this.commitNumber = frame.commitNumber
    this.appendTime = Math.max(this.appendTime, frame.appendTime)
    if (frame.blocks > 0) {
      const entries = readEntries(bytes, at, frame)
      for (const { topic, partition, baseOffset, count } of entries) {
        const state = this.topics.get(topic)?.partitions[partition]
        if (state) state.end = baseOffset + count
      }
      if (indexed) this.indexBlocks(frame.file, entries)
    }
    for (const { producer, seq, hash } of readEnds(bytes, at, frame)) {
      const known = this.producersByNumber.get(producer)
      assert(known !== undefined, () => `commit of unknown producer ${producer}`)
      known.end = { seq, hash }
    }
    if (frame.kind === frameKind.edit) this.perform(readDetail(bytes, at, frame) as Operation)
  }

  /** Takes in where blocks of a log file are. Those of deleted topics and below the start are passed over. */
  indexBlocks(file: number, entries: readonly BlockEntry[]): void {
    for (const entry of entries) {
      const state = this.topics.get(entry.topic)?.partitions[entry.partition]
      if (state && entry.baseOffset + entry.count > state.start) state.index.append(file, entry)
    }
  }

  addTopic(info: TopicInfo, bounds?: readonly Bounds[]): void {
    const partitions = Array.from({ length: info.partitions }, (_, i) => ({
      start: bounds?.[i]?.start ?? 0,
      end: bounds?.[i]?.end ?? 0,
      index: new PartitionIndex(),
    }))
    const topic = { info, partitions }
    this.topics.set(info.id, topic)
    this.topicsByName.set(info.name, topic)
    this.nextTopic = Math.max(this.nextTopic, info.id + 1)
  }

  addProducer(producer: ProducerState): void {
    this.producers.set(producer.name, producer)
    this.producersByNumber.set(producer.number, producer)
    this.nextProducer = Math.max(this.nextProducer, producer.number + 1)
  }

  /** All files of the list: all there are, but the one that is appended to. */
  fileNames(): string[] {
    return [...[...this.logs.keys()].map(logFileName), ...[...this.segments.values()].flatMap(filesOf)]
  }

  /** Puts a segment in the list and its ranges into the indexes. */
  addSegment(segment: SegmentInfo): void {
    this.segments.set(segment.number, segment)
    this.nextFile = Math.max(this.nextFile, segment.number + 1)
    for (const { topic, partition, from, to } of segment.ranges) {
      const state = this.topics.get(topic)?.partitions[partition]
      if (state && to > state.start)
        state.index.insert({ file: segment.number, blocksIn: blocksFileName(segment), from, to, table: undefined })
    }
  }

  /** Errors: COMMIT_FENCED when it was opened again since, or forgotten. */
  heldProducer({ name, number, epoch }: ProducerHold): ProducerState {
    const producer = this.producers.get(name)
    if (producer?.number === number && producer.epoch === epoch) return producer
    assert(
      number < this.nextProducer && (producer?.number !== number || epoch < producer.epoch),
      () => `${name} was never opened in epoch ${epoch}`,
    )
    throw new StreamError('COMMIT_FENCED', { producer: name, epoch, newest: producer?.epoch ?? 'forgotten' })
  }

  /** Errors: TOPIC_UNKNOWN. */
  topic(name: string): TopicState {
    const topic = this.topicsByName.get(name)
    if (topic === undefined) throw new StreamError('TOPIC_UNKNOWN', { topic: name })
    return topic
  }

  /** Errors: TOPIC_UNKNOWN. */
  partition(name: string, partition: number): PartitionState {
    const state = this.topic(name).partitions[partition]
    if (state === undefined) throw new StreamError('TOPIC_UNKNOWN', { topic: name, partition })
    return state
  }

  private perform(operation: Operation): void {
    switch (operation.op) {
      case 'createTopic':
        return this.addTopic(operation.topic)
      case 'setTopic': {
        const topic = this.topics.get(operation.topic.id)
        if (topic) topic.info = operation.topic
        return
      }
      case 'deleteTopic': {
        const topic = this.topics.get(operation.topic)
        if (topic) this.topicsByName.delete(topic.info.name)
        this.topics.delete(operation.topic)
        return
      }
      case 'producer': {
        const { name, number, epoch } = operation
        const known = this.producers.get(name)
        if (known) known.epoch = epoch
        else this.addProducer({ name, number, epoch, end: { seq: 0, hash: '' } })
        return
      }
      case 'forgetProducer': {
        const producer = this.producersByNumber.get(operation.number)
        if (producer) this.producers.delete(producer.name)
        this.producersByNumber.delete(operation.number)
        return
      }
      case 'trim':
        for (const { topic, partition, start } of operation.starts) {
          const state = this.topics.get(topic)?.partitions[partition]
          if (state === undefined) continue
          state.start = Math.max(state.start, start)
          state.index.trim(state.start)
        }
        return
      case 'files':
        return this.replaceFiles(operation.out, operation.in)
      default:
        assertNever(operation)
    }
  }

  private replaceFiles(out: readonly number[], segments: readonly SegmentInfo[]): void {
    this.edits++
    const gone = new Set(out)
    for (const number of out) {
      this.logs.delete(number)
      this.segments.delete(number)
    }
    for (const { partitions } of this.topics.values()) for (const { index } of partitions) index.remove(gone)
    for (const segment of segments) this.addSegment(segment)
  }
}
