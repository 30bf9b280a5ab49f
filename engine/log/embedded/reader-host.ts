import type { EpochMs } from '../../model/record.ts'
import type { FileSystem } from '../../ports/file-system.ts'
import { FollowedLog } from './followed-log.ts'
import type { LogId } from './frame.ts'
import { Published } from './published.ts'

/** Can be sent to another thread as it is. */
export interface ReaderHandle {
  readonly memory: SharedArrayBuffer
  readonly logId: LogId
}

/** The log for a reading thread: reads the files, and shares two words with the writer. */
export class EmbeddedReaderHost extends FollowedLog {
  private readonly published: Published
  private shownClock: EpochMs = 0

  private constructor({ memory, logId }: ReaderHandle, fs: FileSystem) {
    super(fs, logId)
    this.published = new Published(memory)
  }

  /** @param fs of the log's directory, for reading only. */
  static async attach(handle: ReaderHandle, { fs }: { fs: FileSystem }): Promise<EmbeddedReaderHost> {
    const host = new EmbeddedReaderHost(handle, fs)
    await host.refresh()
    return host
  }

  /** The writer's clock, as far as everything published before it is shown here. */
  clock(): EpochMs {
    const clock = this.published.clock()
    if (this.follower.isAt(this.published.end())) this.shownClock = Math.max(this.shownClock, clock)
    return this.shownClock
  }

  protected async look(): Promise<boolean> {
    const clock = this.published.clock()
    const changed = await this.follower.advance(this.published)
    this.shownClock = Math.max(this.shownClock, clock)
    return changed
  }

  /** The time limit keeps an aborted wait from watching for ever. */
  protected pause(): Promise<void> {
    return this.published.changed(this.follower.end, 100)
  }
}
