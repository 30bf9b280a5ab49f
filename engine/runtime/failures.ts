import { codeOf, StreamError } from '../errors.ts'
import type { RuntimeSettings } from './settings.ts'

/** Failures after which a new life may succeed. */
export function recoverable(error: unknown): boolean {
  const code = codeOf(error)
  return (
    code === 'COMMIT_CONFLICT' ||
    code === 'COMMIT_OUTCOME_UNKNOWN' ||
    code === 'LOG_UNAVAILABLE' ||
    code === 'CHECKPOINT_CORRUPT' ||
    code === 'DISK_FULL' ||
    code === 'STATE_CORRUPT'
  )
}

/** Those of them that pass when the world around has changed, as a full disk: it is waited for however long that takes. */
export function passes(error: unknown): boolean {
  return error instanceof StreamError && recoverable(error) && error.retry === 'after-backoff'
}

/** How often a task failed, and how long it pauses before it tries again. */
export class Failures {
  /** In a row, without a commit in between; those that pass don't count. */
  private counted = 0
  /** The same with those that pass: pauses grow with them. */
  private tries = 0
  /** The last slice the log has, as far as is known. */
  private reached: number | undefined = undefined
  private readonly settings: Pick<RuntimeSettings, 'failuresMax' | 'retryBackoffMs'>

  constructor(settings: Pick<RuntimeSettings, 'failuresMax' | 'retryBackoffMs'>) {
    this.settings = settings
  }

  /** The log has this slice. */
  acknowledged(seq: number): void {
    if (seq > (this.reached ?? seq)) this.counted = this.tries = 0
    this.reached = seq
  }

  /** @returns how long to pause, ms; throws the error when there were too many. */
  add(error: unknown): number {
    const { failuresMax, retryBackoffMs } = this.settings
    this.tries++
    if (!passes(error) && ++this.counted > failuresMax) throw error
    return Math.min(retryBackoffMs * 2 ** (this.tries - 1), retryBackoffMs * 100)
  }
}
