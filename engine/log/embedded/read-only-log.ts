import { codeOf, StreamError } from '../../errors.ts'
import type { EpochMs } from '../../model/record.ts'
import type { FileSystem } from '../../ports/file-system.ts'
import type { Clock } from '../../ports/world.ts'
import { corrupt } from './corrupt.ts'
import { DurableEnd } from './durable-end.ts'
import { FollowedLog } from './followed-log.ts'
import type { LogId } from './frame.ts'
import { logIsGone, traceOfUse } from './trace-of-use.ts'

export interface ReadOnlyLogOptions {
  /** Of the log's directory, for reading only. */
  readonly fs: FileSystem
  readonly clock: Clock
  /** See EmbeddedLogOptions. */
  readonly traces?: readonly string[]
}

const pollMs = 100
const attemptsMax = 20

/**
 * The log of a directory that another process works on, or that none does: takes no lock, writes nothing, and follows the files.
 *
 * Shows what is surely durable, and nothing that could be taken back: the last commit only once another frame stands behind it. A writer
 * that lives puts one there within about a second, and one that is closed does so too. What a writer that was killed committed last may
 * stay hidden until the next writer opens the directory.
 */
export class ReadOnlyLog extends FollowedLog {
  private readonly durable: DurableEnd
  private readonly time: Clock

  private constructor({ fs, clock }: ReadOnlyLogOptions, durable: DurableEnd, logId: LogId) {
    super(fs, logId)
    this.durable = durable
    this.time = clock
  }

  /** Waits up to two seconds for a log that is just being made. Errors: LOG_CORRUPT, LOG_FORMAT_UNKNOWN, LOG_UNAVAILABLE (there is no log). */
  static async open(options: ReadOnlyLogOptions): Promise<ReadOnlyLog> {
    const { fs, clock } = options
    const durable = new DurableEnd(fs)
    const found = await lookAgain(clock, () => durable.find())
    if (found === undefined) throw await noLog(options)
    const log = new ReadOnlyLog(options, durable, found.logId)
    await log.refresh()
    return log
  }

  /** Of the last frame shown: no later record has a lower append time. */
  clock(): EpochMs {
    return this.follower.catalog.appendTime
  }

  protected async look(): Promise<boolean> {
    const { edits } = this.follower.catalog
    const changed = await lookAgain(this.time, async () => {
      const end = await this.durable.find()
      return end && (await this.follower.advance({ end: () => end }))
    })
    if (this.follower.catalog.edits !== edits) await this.dropRemoved()
    return changed === true
  }

  protected pause(): Promise<void> {
    return this.time.sleep(pollMs)
  }

  /** What left the list is not held open, which would keep its space. */
  private async dropRemoved(): Promise<void> {
    const listed = new Set(this.follower.catalog.fileNames())
    await this.files.keepOnly((name, { number }) => number >= this.follower.end.file || listed.has(name))
  }
}

/** Files go while one looks at them: then what took their place is found by looking again. Also where nothing is found yet. */
async function lookAgain<T>(clock: Clock, look: () => Promise<T | undefined>): Promise<T | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      const found = await look()
      if (found !== undefined || attempt === attemptsMax) return found
    } catch (error) {
      if (codeOf(error) !== 'FILE_UNREADABLE') throw error
      if (attempt === attemptsMax) throw corrupt((error as StreamError).details.file as string, 0, 'the file is missing', { cause: error })
    }
    await clock.sleep(pollMs)
  }
}

async function noLog({ fs, traces = [] }: ReadOnlyLogOptions): Promise<StreamError> {
  const trace = traceOfUse(await fs.list(), traces)
  return trace ? logIsGone(trace) : new StreamError('LOG_UNAVAILABLE', { reason: 'there is no log yet' })
}
