import { randomBytes } from 'node:crypto'
import { AssertionError, assert } from '../../assert.ts'
import { StreamError } from '../../errors.ts'
import type { EpochMs, Offset } from '../../model/record.ts'
import type { FileSystem } from '../../ports/file-system.ts'
import type { Bounds, KeepChange, Log, LogReader, Pin, Producer, ProducerEnd, TopicInfo, TopicSpec } from '../../ports/log.ts'
import { type Clock, type Logger, type Metrics, noMetrics, noProbe, type Probe, silentLogger } from '../../ports/world.ts'
import { ChangeCounter } from '../change-counter.ts'
import { isNewTopic, settingsOf, withKeep } from '../topic-spec.ts'
import { AppendClock } from './append-clock.ts'
import { type BackupOptions, backUp } from './backup.ts'
import { BufferPool } from './buffer-pool.ts'
import type { Catalog } from './catalog.ts'
import { DiskReserve } from './disk-reserve.ts'
import type { LogId } from './frame.ts'
import { Housekeeping } from './housekeeping.ts'
import type { KnownEnd } from './known-ends.ts'
import { OpenFiles } from './open-files.ts'
import type { Operation } from './operation.ts'
import { bytesOfTopic } from './partition-bytes.ts'
import { Pins } from './pins.ts'
import { Published } from './published.ts'
import { EmbeddedReader, type ReaderSource } from './reader.ts'
import type { ReaderHandle } from './reader-host.ts'
import { type Recovered, recover } from './recovery.ts'
import { RemovedFiles } from './removed-files.ts'
import { Rewriter } from './rewriter.ts'
import { Rotation } from './rotation.ts'
import { Scrubber } from './scrubber.ts'
import { SegmentDirectories } from './segment-directory.ts'
import { type EmbeddedLogSettings, embeddedLogDefaults } from './settings.ts'
import { topicSizes } from './topic-sizes.ts'
import { Writer } from './writer.ts'

export interface EmbeddedLogOptions {
  /** Of the log's own directory; no other process may write there (see lockDirectory). */
  readonly fs: FileSystem
  readonly clock: Clock
  readonly logger?: Logger
  readonly metrics?: Metrics
  readonly probe?: Probe
  readonly settings?: Partial<EmbeddedLogSettings>
  /** Ends the process: a write or sync failed and what the disk holds is not known. Absent: thrown where nobody catches it. */
  readonly fatal?: (error: unknown) => void
  readonly newLogId?: () => LogId
  /** Names of what was found beside the directory that only a used log leaves: with any, a log that is missing is damage and no new one. */
  readonly traces?: readonly string[]
  /** What files beside the directory show of how far producers came: a log that ends before is damaged, and is left as it is. */
  readonly knownEnds?: readonly KnownEnd[]
  /** Released when the log is closed. */
  readonly lock?: { release(): Promise<void> }
}

type AllOptions = Required<Omit<EmbeddedLogOptions, 'lock' | 'settings'>> &
  Pick<EmbeddedLogOptions, 'lock'> & { readonly settings: EmbeddedLogSettings }

/**
 * The durable log in one process. The log is the tail, segments are the rest; one file is ever appended to, all others are immutable.
 * Design: part 7. Errors of `open`: LOG_CORRUPT, LOG_UNAVAILABLE (a read or write failed), LOG_FORMAT_UNKNOWN, LOG_CLOCK_AHEAD, DISK_FULL.
 */
export class EmbeddedLog implements Log {
  private readonly catalog: Catalog
  private readonly logId: LogId
  private readonly writer: Writer
  private readonly published = new Published()
  private readonly counter = new ChangeCounter()
  private readonly pins = new Pins()
  private readonly source: ReaderSource
  private readonly removed: RemovedFiles
  private readonly rewriter: Rewriter
  private readonly housekeeping: Housekeeping
  private readonly scrubber: Scrubber
  private readonly options: AllOptions
  private closed = false
  private ticking = false
  private readonly stop = new AbortController()

  private constructor(options: AllOptions, { catalog, logId, file }: Recovered, reserve: DiskReserve) {
    const { fs, clock, logger, metrics, probe, fatal, settings } = options
    this.options = options
    this.catalog = catalog
    this.logId = logId
    const files = new OpenFiles(fs)
    const directories = new SegmentDirectories(files, logId)
    const pool = new BufferPool()
    this.source = {
      catalog: () => {
        this.checkOpen()
        return catalog
      },
      refresh: async () => false,
      files,
      directories,
      pool,
    }
    this.writer = new Writer({
      catalog,
      logId,
      file,
      rotation: new Rotation({ fs, catalog, logId, logger, probe }),
      reserve,
      appendClock: new AppendClock(clock, catalog.appendTime),
      published: this.published,
      changes: this.counter,
      clock,
      logger,
      metrics,
      probe,
      settings,
      fatal,
      rotated: () => this.rewriter.wake(),
    })
    this.published.setEnd(file.number, file.end)
    this.published.setClock(catalog.appendTime)
    const shared = {
      fs,
      catalog,
      logId,
      files,
      directories,
      pool,
      clock,
      logger,
      probe,
      settings,
      fatal,
      pins: this.pins,
      writer: this.writer,
    }
    this.removed = new RemovedFiles(shared)
    this.rewriter = new Rewriter({ ...shared, removed: this.removed })
    this.housekeeping = new Housekeeping({ ...shared, rewriter: this.rewriter })
    this.housekeeping.start()
    const current = () => ({ number: this.writer.currentFile, end: this.writer.currentEnd })
    this.scrubber = new Scrubber({ fs, clock, logger, metrics, settings, catalog, logId, current })
    this.scrubber.start()
    this.rewriter.wake()
  }

  static async open(options: EmbeddedLogOptions): Promise<EmbeddedLog> {
    const settings = { ...embeddedLogDefaults, ...options.settings }
    const all: AllOptions = {
      logger: silentLogger,
      metrics: noMetrics,
      probe: noProbe,
      fatal: throwOutside,
      newLogId,
      traces: [],
      knownEnds: [],
      ...options,
      settings,
    }
    try {
      const recovered = await recover(all)
      const reserve = new DiskReserve(all, settings.reserveBytes)
      await reserve.restore()
      return new EmbeddedLog(all, recovered, reserve)
    } catch (error) {
      if (error instanceof StreamError || error instanceof AssertionError) throw error
      throw new StreamError('LOG_UNAVAILABLE', { reason: 'the log could not be opened' }, { cause: error })
    }
  }

  topics(): readonly TopicInfo[] {
    return [...this.catalog.topics.values()].map(({ info }) => info)
  }

  topic(name: string): TopicInfo | undefined {
    return this.catalog.topicsByName.get(name)?.info
  }

  createTopic(spec: TopicSpec): Promise<TopicInfo> {
    return this.writer.control<TopicInfo>((catalog) => {
      const existing = catalog.topicsByName.get(spec.name)?.info
      if (existing && !isNewTopic(spec, existing)) return { operation: undefined, result: existing }
      isNewTopic(spec, undefined)
      const topic = { id: catalog.nextTopic, ...settingsOf(spec) }
      return { operation: { op: 'createTopic', topic }, result: topic }
    })
  }

  setTopic(name: string, change: KeepChange): Promise<TopicInfo> {
    return this.writer.control<TopicInfo>((catalog) => {
      const topic = withKeep(catalog.topic(name).info, change)
      return { operation: { op: 'setTopic', topic }, result: topic }
    })
  }

  deleteTopic(name: string): Promise<void> {
    return this.change((catalog) => ({ op: 'deleteTopic', topic: catalog.topic(name).info.id }))
  }

  async trim(topic: string, partition: number, before: Offset): Promise<void> {
    await this.change((catalog) => {
      const state = catalog.partition(topic, partition)
      const { start, end } = state
      if (before > end) throw new StreamError('OFFSET_OUT_OF_RANGE', { topic, partition, offset: before, earliest: start, end })
      if (before <= start) return undefined
      this.pins.check(state, before, `${topic}/${partition}`)
      return { op: 'trim', starts: [{ topic: catalog.topic(topic).info.id, partition, start: before }] }
    })
  }

  pin(topic: string, partition: number, from: Offset): Pin {
    return this.pins.add(this.catalog.partition(topic, partition), from)
  }

  bounds(topic: string, partition: number): Bounds {
    const { start, end } = this.catalog.partition(topic, partition)
    return { start, end }
  }

  /** What the topic takes on disk, about; 0: there is none. For a look now and then: it goes through the tables of blocks. */
  bytesOf(topic: string): number {
    const state = this.catalog.topicsByName.get(topic)
    return state === undefined ? 0 : bytesOfTopic(this.catalog, state)
  }

  clock(): EpochMs {
    return this.writer.clock()
  }

  changed(seen: number, signal?: AbortSignal): Promise<void> {
    return this.counter.changed(seen, signal)
  }

  changes(): number {
    return this.counter.count
  }

  reader(topic: string, partition: number, from: Offset): LogReader {
    this.catalog.partition(topic, partition)
    return new EmbeddedReader(this.source, { topic, topicId: this.catalog.topic(topic).info.id, partition }, from)
  }

  async producer(id: string): Promise<Producer> {
    const epoch = await this.writer.control((catalog) => {
      const known = catalog.producers.get(id)
      const epoch = (known?.epoch ?? 0) + 1
      return { operation: { op: 'producer', name: id, number: known?.number ?? catalog.nextProducer, epoch }, result: epoch }
    })
    const { end, number } = this.catalog.producers.get(id)!
    return { id, epoch, end, commit: (commit) => this.writer.commit({ name: id, number, epoch }, commit) }
  }

  producers(): readonly string[] {
    return [...this.catalog.producers.keys()]
  }

  producerEnd(id: string): ProducerEnd | undefined {
    return this.catalog.producers.get(id)?.end
  }

  forgetProducer(id: string, epoch: number): Promise<void> {
    return this.change((catalog) => {
      const number = catalog.producers.get(id)?.number ?? 0
      return { op: 'forgetProducer', number: catalog.heldProducer({ name: id, number, epoch }).number }
    })
  }

  /** Bytes of the blocks of each topic, by name; what is trimmed counts until its file or its part of one is gone. */
  sizes(): Map<string, number> {
    return topicSizes(this.catalog)
  }

  /** What a reader in another thread needs (see EmbeddedReaderHost); can be cloned. */
  handle(): ReaderHandle {
    if (!this.ticking) {
      this.ticking = true
      this.tick().catch(this.options.fatal)
    }
    return { memory: this.published.memory, logId: this.logId }
  }

  /** Applies retention as if it were `now`, instead of when its time comes. */
  retain(now: EpochMs): Promise<void> {
    return this.housekeeping.retain(now)
  }

  /** Removes older values of the keys of a compacted topic, instead of when there are enough of them. Errors: DISK_FULL, LOG_CORRUPT. */
  compact(topic: string): Promise<void> {
    const state = this.catalog.topic(topic)
    assert(state.info.compacted, () => `topic ${topic} is not compacted`)
    return this.housekeeping.compact(state)
  }

  /** Rewrites all that is committed into segments, instead of file by file when they are full. Errors: DISK_FULL, LOG_CORRUPT. */
  async rewrite(): Promise<void> {
    await this.writer.rotate()
    await this.rewriter.rewriteAll()
  }

  /** Copies the log as of now into an empty directory, from which it can be opened. Commits go on meanwhile. @returns the bytes copied. */
  backup(to: FileSystem, options?: BackupOptions): Promise<number> {
    return backUp({ fs: this.options.fs, catalog: this.catalog, writer: this.writer, removed: this.removed }, to, options)
  }

  async close(): Promise<void> {
    if (this.closed) return
    this.closed = true
    this.stop.abort()
    this.counter.end()
    this.housekeeping.close()
    const scrubbed = this.scrubber.close()
    const rewritten = this.rewriter.close()
    await this.writer.close()
    await rewritten
    await scrubbed
    await this.source.files.close()
    await this.options.lock?.release()
  }

  private async change(prepare: (catalog: Catalog) => Operation | undefined): Promise<void> {
    await this.writer.control((catalog) => ({ operation: prepare(catalog), result: undefined }))
  }

  /** The append-time clock goes on for reading threads while nothing is committed. */
  private async tick(): Promise<void> {
    while (!this.closed) {
      this.published.setClock(this.writer.clock())
      await this.options.clock.sleep(20, this.stop.signal)
    }
  }

  private checkOpen(): void {
    if (this.closed) throw new StreamError('LOG_UNAVAILABLE', { reason: 'closed' })
  }
}

function newLogId(): LogId {
  return randomBytes(8).readBigUInt64LE()
}

function throwOutside(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}
