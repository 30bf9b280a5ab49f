import { StreamError } from '../../errors.ts'
import type { EpochMs, Offset } from '../../model/record.ts'
import type { FileSystem } from '../../ports/file-system.ts'
import type { Bounds, LogReader, LogView, ProducerEnd, TopicInfo } from '../../ports/log.ts'
import { ChangeCounter } from '../change-counter.ts'
import { BufferPool } from './buffer-pool.ts'
import type { LogId } from './frame.ts'
import { OpenFiles } from './open-files.ts'
import { EmbeddedReader, type ReaderSource } from './reader.ts'
import { SegmentDirectories } from './segment-directory.ts'
import { TailFollower } from './tail-follower.ts'

/**
 * The log for those who read the files that another one writes. What it shows is as of its last look at them: `changed` and a read at
 * the end take one, and `refresh`. How far the log is durable, the classes below it find out.
 */
export abstract class FollowedLog implements LogView {
  protected readonly follower: TailFollower
  protected readonly files: OpenFiles
  protected closed = false
  private readonly source: ReaderSource
  private readonly counter = new ChangeCounter()
  /** Settles with the look under way. */
  private last: Promise<void> = Promise.resolve()
  /** The look that begins behind it. */
  private next: Promise<boolean> | undefined
  private watching = false

  protected constructor(fs: FileSystem, logId: LogId) {
    this.files = new OpenFiles(fs)
    this.follower = new TailFollower(this.files, logId)
    this.source = {
      catalog: () => {
        this.checkOpen()
        return this.follower.catalog
      },
      refresh: () => this.refresh(),
      files: this.files,
      directories: new SegmentDirectories(this.files, logId),
      pool: new BufferPool(),
    }
  }

  abstract clock(): EpochMs

  /** Takes in what is durable by now. @returns whether there was anything. Errors: LOG_CORRUPT. */
  protected abstract look(): Promise<boolean>

  /** Resolves when a look may find something, or after a short while. */
  protected abstract pause(): Promise<void>

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

  producers(): readonly string[] {
    return [...this.follower.catalog.producers.keys()]
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

  /** Takes in what was committed up to this call. @returns whether there was anything. Errors: LOG_CORRUPT. */
  refresh(): Promise<boolean> {
    // A look that is under way may have passed by what the caller asks for (where a file went that is missing by now).
    this.next ??= this.last.then(() => {
      this.next = undefined
      const look = this.lookOnce()
      this.last = look.then(
        () => {},
        () => {},
      )
      return look
    })
    return this.next
  }

  async close(): Promise<void> {
    this.closed = true
    this.counter.end()
    await this.files.close()
  }

  private async lookOnce(): Promise<boolean> {
    const changed = await this.look()
    if (changed) this.counter.bump()
    return changed
  }

  /** While anyone waits for a change: looks whenever there may be one. */
  private watch(): void {
    if (this.watching) return
    this.watching = true
    void this.watchOn()
  }

  private async watchOn(): Promise<void> {
    try {
      while (!this.closed && this.counter.waiters > 0) {
        await this.pause()
        if (!this.closed) await this.refresh()
      }
    } catch {
      // Whoever waits goes on to read, and is told by that.
      this.counter.bump()
    } finally {
      // In the same turn as the last look at who waits: one who comes a moment later must not take this for still watching.
      this.watching = false
    }
  }

  private checkOpen(): void {
    if (this.closed) throw new StreamError('LOG_UNAVAILABLE', { reason: 'closed' })
  }
}
