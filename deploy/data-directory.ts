import path from 'node:path'
import { StreamError } from '../engine/errors.ts'
import type { EmbeddedLog } from '../engine/log/embedded/embedded-log.ts'
import { openEmbeddedLog } from '../engine/log/embedded/open-embedded-log.ts'
import type { EmbeddedLogSettings } from '../engine/log/embedded/settings.ts'
import type { TaskState } from '../engine/ports/state.ts'
import type { Logger, Metrics, Probe } from '../engine/ports/world.ts'
import { noMetrics } from '../engine/ports/world.ts'
import type { JobPlan, TaskPlan } from '../engine/runtime/plan.ts'
import type { Present } from '../engine/task/present.ts'
import { backUpData, checkBackupTarget, clearUnfinishedBackup } from './backup.ts'
import { besideLog } from './beside-log.ts'
import { makeWithParents } from './make-directory.ts'
import { openStateIn } from './open-state.ts'
import { realClock } from './real-clock.ts'

export interface DataDirectoryOptions {
  readonly directory: string
  readonly logger: Logger
  readonly metrics?: Metrics
  readonly probe: Probe
  /** State of all tasks together stays below this in memory; the rest goes to disk. */
  readonly memoryBytesMax: number
  readonly log?: Partial<EmbeddedLogSettings>
  readonly state?: { readonly mergeBytesMin: number }
  /** Default: it does. A process that leads no job keeps nothing for jobs that need it, so it lets nothing go. */
  readonly leadsJobs?: boolean
}

/** As long as a timer may be. */
const neverMs = 2 ** 31 - 1

/**
 * Everything Reprise keeps in one directory: `log/` the embedded log, `checkpoints/` and `spill/` a folder for each task.
 * One process owns it. The log is the truth, but a journal reaches back to the older of two checkpoints only; `spill/` may be removed while nothing runs.
 */
export class DataDirectory {
  readonly log: EmbeddedLog
  private readonly options: DataDirectoryOptions
  private readonly closing = new AbortController()
  private backups: Promise<unknown> = Promise.resolve()

  /** Errors: LOG_LOCKED and those of EmbeddedLog.open. */
  static async open(options: DataDirectoryOptions): Promise<DataDirectory> {
    const { directory, logger, metrics = noMetrics, probe, leadsJobs = true } = options
    const settings = { ...options.log, ...(leadsJobs ? {} : { housekeepingEveryMs: neverMs }) }
    await makeDirectory(directory)
    const beside = await besideLog(directory)
    const own = { directory: path.join(directory, 'log'), clock: realClock, fatal }
    const log = await openEmbeddedLog({ ...own, logger, metrics, probe, settings, ...beside })
    // Only who holds the log knows that nobody is at it.
    await clearUnfinishedBackup(directory)
    return new DataDirectory(options, log)
  }

  private constructor(options: DataDirectoryOptions, log: EmbeddedLog) {
    this.options = options
    this.log = log
  }

  openState(plan: TaskPlan, job: JobPlan, present: Present): Promise<TaskState> {
    return openStateIn(this.options, plan, job, present)
  }

  /** FILE_UNWRITABLE unless a backup can be made there. */
  checkBackupTarget(to: string): Promise<void> {
    return checkBackupTarget(this.options.directory, to)
  }

  /** See backUpData; one after the other. Ended unfinished when it is closed. @returns the bytes copied. */
  backup(to: string): Promise<number> {
    const backup = this.backups.then(() => backUpData(this.log, this.options.directory, to, this.closing.signal))
    this.backups = backup.catch(() => {})
    return backup
  }

  async close(): Promise<void> {
    this.closing.abort(new StreamError('SERVER_STOPPING'))
    await this.backups
    await this.log.close()
  }
}

async function makeDirectory(directory: string): Promise<void> {
  try {
    await makeWithParents(path.resolve(directory, 'log'))
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const inTheWay = code === 'EEXIST' || code === 'ENOTDIR'
    throw new StreamError(
      'FILE_UNWRITABLE',
      { file: directory, reason: code },
      {
        cause,
        fix: inTheWay ? 'there is a file of that name: name a directory with --data' : 'name a directory that you may write to with --data',
      },
    )
  }
}

/** What the disk holds is not known: nothing may be answered any more. */
function fatal(error: unknown): void {
  process.stderr.write(`fatal: the log can't be written: ${String(error)}\n`)
  process.exit(1)
}
