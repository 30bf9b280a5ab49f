import { StreamError } from '../../errors.ts'

const fixes = 'run `reprise log verify` to see all faults, then restore the data directory from a backup'

/** LOG_CORRUPT with the file, the position in it and what is wrong there. */
export function corrupt(
  file: string,
  position: number,
  reason: string,
  { cause, fix = fixes }: { readonly cause?: unknown; readonly fix?: string } = {},
): StreamError {
  return new StreamError('LOG_CORRUPT', { file, position, reason }, { cause, fix })
}
