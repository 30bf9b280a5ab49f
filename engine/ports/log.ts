import type { Chunk } from '../block/block-view.ts'
import type { EpochMs, Offset } from '../model/record.ts'

/** What a topic keeps; can be changed. */
export interface TopicKeep {
  /** Records older than this (append time) may be deleted, below every pin. Absent: kept for ever. */
  readonly retentionMs?: number
  /** Oldest records are deleted above this many bytes a partition, below every pin. */
  readonly retentionBytes?: number
  /** `table` topics only: older values of a key are removed in the background, below every pin. */
  readonly compacted?: boolean
}

/** Absent: as it is; null: without such a limit. */
export interface KeepChange {
  readonly retentionMs?: number | null | undefined
  readonly retentionBytes?: number | null | undefined
  readonly compacted?: boolean | undefined
}

export interface TopicSpec extends TopicKeep {
  readonly name: string
  readonly partitions: number
  /** `table`: the latest value by key counts, may be compacted. `internal`: journals, exchanges, control; trimmed by the engine only. */
  readonly kind: 'stream' | 'table' | 'internal'
}

export interface TopicInfo extends TopicSpec {
  /** Never reused, not even after deletion. */
  readonly id: number
}

export interface Bounds {
  /** The earliest offset that can be read. */
  readonly start: Offset
  /** One past the last committed record. */
  readonly end: Offset
}

/** How far a producer has come: the number of its last commit's unit (a slice, an ingested record) and the hash chained up to it. */
export interface ProducerEnd {
  readonly seq: number
  readonly hash: string
}

export interface Append {
  readonly topic: string
  readonly partition: number
  /** From BlockBuilder. The log's until the commit resolves, then the caller's again; when it is rejected nobody may touch it: it may still be under way. */
  readonly block: Uint8Array
}

export interface Commit {
  /** The end this commit builds on: refused with COMMIT_CONFLICT when the log knows another one. */
  readonly expect: ProducerEnd
  readonly next: ProducerEnd
  /** Ends of other producers it also builds on, by name: refused with COMMIT_CONFLICT when one of them stands elsewhere. */
  readonly others?: readonly { readonly producer: string; readonly end: ProducerEnd }[]
  /** Several may go to one partition: they stand there in this order. May be empty: only the end moves. */
  readonly appends: readonly Append[]
}

export interface Committed {
  readonly appendTime: EpochMs
  /** Base offset of each append, in order. */
  readonly baseOffsets: readonly Offset[]
}

/**
 * A named writer. Guarantees:
 * - opening one fences all older holders of the name: their later commits are refused with COMMIT_FENCED;
 * - a commit is atomic over its appends: readers see all of it or none, also after a crash;
 * - commits of one producer may be sent without waiting (pipelined); they take effect in the order sent, and a refused one makes all that build on it refused;
 * - when the promise resolves the commit is durable. COMMIT_FENCED, COMMIT_CONFLICT, COMMIT_TOO_LARGE, TOPIC_UNKNOWN, DISK_FULL: it did not take place.
 *   COMMIT_OUTCOME_UNKNOWN, LOG_UNAVAILABLE: open the producer anew and look at `end`.
 */
export interface Producer {
  readonly id: string
  readonly epoch: number
  /** The end at the time of opening: what was committed under this name. `{ seq: 0, hash: '' }` for a new one. */
  readonly end: ProducerEnd
  commit(commit: Commit): Promise<Committed>
}

/**
 * Reads one partition in offset order. Only committed records are seen. Not to be called again before the former call settled.
 */
export interface LogReader {
  /** Next offset to read; also moves past offsets that hold nothing (compacted away). */
  readonly position: Offset
  /**
   * Whole verified blocks from `position` on, at most about `bytesMax` (at least one block); null at the end of the log.
   * The first block may begin below the position it was opened at: skip those records.
   * Errors: OFFSET_OUT_OF_RANGE (details: topic, partition, offset, earliest, end), LOG_CORRUPT (file, position), TOPIC_UNKNOWN after deletion.
   */
  read(bytesMax: number): Promise<Chunk | null>
  close(): Promise<void>
}

/** What the engine asks of the world to remember. Every adapter passes test/contract/log. TOPIC_UNKNOWN also for a partition that a topic lacks. */
export interface Log {
  topics(): readonly TopicInfo[]
  topic(name: string): TopicInfo | undefined
  /** Idempotent when it is there with these settings, whatever it keeps beside what is named; else TOPIC_EXISTS. TOPIC_NAME_INVALID for names Kafka would refuse. */
  createTopic(spec: TopicSpec): Promise<TopicInfo>
  /** Changes what the topic keeps. Nothing is removed by this itself. TOPIC_UNKNOWN. */
  setTopic(name: string, change: KeepChange): Promise<TopicInfo>
  deleteTopic(name: string): Promise<void>
  /** Makes everything below `before` unreadable (start becomes `before`, never less than it was). Beyond the end: OFFSET_OUT_OF_RANGE. The space comes back later. */
  trim(topic: string, partition: number, before: Offset): Promise<void>
  /** Keeps records from `from` on readable until released, whatever retention and compaction say; trim below a pin is refused (assertion). */
  pin(topic: string, partition: number, from: Offset): Pin
  /** As last made visible. TOPIC_UNKNOWN. */
  bounds(topic: string, partition: number): Bounds
  /**
   * The append-time clock. Law: a record that is not below the `end` seen AFTER this call will have an append time >= this.
   * So call it BEFORE `bounds`. Never goes back.
   */
  clock(): EpochMs
  /** Resolves at the next change of any bounds, or when the signal aborts; at once if something changed since `seen` (see `changes`). */
  changed(seen: number, signal?: AbortSignal): Promise<void>
  /** Counts the changes of bounds so far. */
  changes(): number
  /** OFFSET_OUT_OF_RANGE is told by the first read. */
  reader(topic: string, partition: number, from: Offset): LogReader
  /** Fences older holders; durable when it resolves. */
  producer(id: string): Promise<Producer>
  /** Names of all producers that were opened and are not forgotten, in no order: what the log keeps for each as long as it is there. */
  producers(): readonly string[]
  /** How far the producer of this name came, without fencing it. */
  producerEnd(id: string): ProducerEnd | undefined
  /**
   * Forgets how far a producer came, durably: nothing of it is kept. Refused with COMMIT_FENCED unless `epoch` is its newest. Whoever held it
   * is fenced, also once the name is opened anew, which then begins at seq 0: who needs its end later records it BEFORE.
   */
  forgetProducer(id: string, epoch: number): Promise<void>
  close(): Promise<void>
}

/** What those see of a log who only read it. */
export type LogView = Pick<
  Log,
  'topics' | 'topic' | 'bounds' | 'clock' | 'changed' | 'changes' | 'reader' | 'producers' | 'producerEnd' | 'close'
>

export interface Pin {
  move(from: Offset): void
  release(): void
}
