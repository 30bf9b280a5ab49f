import type { StreamError } from '../../errors.ts'
import { corrupt } from './corrupt.ts'
import { logFileName, parseFileName, reserveFileName } from './file-names.ts'

/**
 * Tells a directory whose log is gone from one in which none was ever begun. A log file has its name only when its head is durable, and
 * segments and the reserve are made only behind that; so a crash while the first file is made leaves nothing but files that are begun.
 * @param names of the files in the log's directory, none of them a log file.
 * @param outside what was found beside it that only a used log leaves.
 * @returns the file that shows that there was a log. Pure.
 */
export function traceOfUse(names: readonly string[], outside: readonly string[]): string | undefined {
  return names.find((name) => parseFileName(name)?.kind === 'segment' || name === reserveFileName) ?? outside[0]
}

/** LOG_CORRUPT for a log none of whose files is left. */
export function logIsGone(trace: string): StreamError {
  return corrupt(logFileName(1), 0, `no log file is left, and ${trace} shows that there was one`, {
    fix: 'restore the data directory from a backup, as a whole; or name an empty directory to begin anew: this one is not overwritten',
  })
}
