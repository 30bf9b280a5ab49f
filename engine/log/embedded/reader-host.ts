import { StreamError } from '../../errors.ts'
import type { EpochMs, Offset } from '../../model/record.ts'
import type { FileSystem } from '../../ports/file-system.ts'
import type { Bounds, Log, LogReader, ProducerEnd, TopicInfo } from '../../ports/log.ts'
import { ChangeCounter } from '../change-counter.ts'
import { BufferPool } from './buffer-pool.ts'
import type { LogId } from './frame.ts'
import { OpenFiles } from './open-files.ts'
import { Published } from './published.ts'
import { EmbeddedReader, type ReaderSource } from './reader.ts'
import { SegmentDirectories } from './segment-directory.ts'
import { TailFollower } from './tail-follower.ts'

/** Can be sent to another thread as it is. */
export interface ReaderHandle {
  readonly memory: SharedArrayBuffer
  readonly logId: LogId
}

/** What a thread that only reads sees of the log. */
export type LogView = Pick<Log, 'topics' | 'topic' | 'bounds' | 'clock' | 'changed' | 'changes' | 'reader' | 'producerEnd' | 'close'>

/**
 * The log for a reading thread: reads the files, and shares two words with the writer. What it shows is as of its last look at them:
 * `changed` and a read at the end take one, and `refresh`.
 */
export class EmbeddedReaderHost implements LogView {
  private readonly published: Published
  private readonly follower: TailFollower
  private readonly source: ReaderSource
  private readonly counter = new ChangeCounter()
  private shownClock: EpochMs
  private refreshing: Promise<boolean> | undefined
  private watching = false
  private closed = false

  private constructor({ memory, logId }: ReaderHandle, fs: FileSystem) {
    this.published = new Published(memory)
    const files = new OpenFiles(fs)
    this.follower = new TailFollower(files, logId)
    this.shownClock = 0
    this.source = {
      catalog: () => {
        this.checkOpen()
        return this.follower.catalog
      },
      refresh: () => this.refresh(),
      files,
      directories: new SegmentDirectories(files, logId),
      pool: new BufferPool(),
    }
  }

  /** @param fs of the log's directory, for reading only. */
  static async attach(handle: ReaderHandle, { fs }: { fs: FileSystem }): Promise<EmbeddedReaderHost> {
    const host = new EmbeddedReaderHost(handle, fs)
    await host.refresh()
    return host
  }

  topics(): readonly TopicInfo[] {
    return [...this.follower.catalog.topics.values()].map(({ info }) => info)
  }

  topic(name: string): TopicInfo | undefined {
    return this.follower.catalog.topicsByName.get(name)?.info
  }

  bounds(topic: string, partition: number): Bounds {
    const { start, end } = this.follower.catalog.partition(topic, partition)
    return { start, end }
  }

  /** The writer's clock, as far as everything published before it is shown here. */
  clock(): EpochMs {
    const clock = this.published.clock()
    if (this.follower.isAt(this.published.end())) this.shownClock = Math.max(this.shownClock, clock)
    return this.shownClock
  }

  producerEnd(id: string): ProducerEnd | undefined {
    return this.follower.catalog.producers.get(id)?.end
  }

  changes(): number {
    return this.counter.count
  }

  changed(seen: number, signal?: AbortSignal): Promise<void> {
    const changed = this.counter.changed(seen, signal)
    this.watch()
    return changed
  }

  reader(topic: string, partition: number, from: Offset): LogReader {
    this.follower.catalog.partition(topic, partition)
    const topicId = this.follower.catalog.topic(topic).info.id
    return new EmbeddedReader(this.source, { topic, topicId, partition }, from)
  }

  /** Takes in what was committed since the last look. @returns whether there was anything. Errors: LOG_CORRUPT. */
  refresh(): Promise<boolean> {
    this.refreshing ??= this.look().finally(() => {
      this.refreshing = undefined
    })
    return this.refreshing
  }

  async close(): Promise<void> {
    this.closed = true
    this.counter.end()
    await this.source.files.close()
  }

  private async look(): Promise<boolean> {
    const clock = this.published.clock()
    const changed = await this.follower.advance(this.published)
    this.shownClock = Math.max(this.shownClock, clock)
    if (changed) this.counter.bump()
    return changed
  }

  /** While anyone waits for a change: looks whenever the writer has published something. */
  private watch(): void {
    if (this.watching) return
    this.watching = true
    this.watchOn()
      // Whoever waits goes on to read, and is told by that.
      .catch(() => this.counter.bump())
      .finally(() => {
        this.watching = false
      })
  }

  private async watchOn(): Promise<void> {
    while (!this.closed && this.counter.waiters > 0) {
      // The time limit keeps an aborted wait from watching for ever.
      await this.published.changed(this.follower.end, 100)
      if (!this.closed) await this.refresh()
    }
  }

  private checkOpen(): void {
    if (this.closed) throw new StreamError('LOG_UNAVAILABLE', { reason: 'closed' })
  }
}
