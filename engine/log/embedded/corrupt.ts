import { StreamError } from '../../errors.ts'

/** LOG_CORRUPT with the file, the position in it and what is wrong there. */
export function corrupt(file: string, position: number, reason: string, cause?: unknown): StreamError {
  return new StreamError(
    'LOG_CORRUPT',
    { file, position, reason },
    { cause, fix: 'run `reprise log verify` to see all faults, then restore the data directory from a backup' },
  )
}
