import { StreamError } from '../engine/errors.ts'

/** FILE_UNREADABLE, with what to look at. */
export function fileUnreadable(file: string, cause: NodeJS.ErrnoException): StreamError {
  const fixes: Partial<Record<string, string>> = {
    ENOENT: `check its name: it is looked for from ${process.cwd()}`,
    EACCES: 'check its permissions',
    EISDIR: 'name a file, not a folder',
  }
  const fix = fixes[cause.code ?? '']
  return new StreamError('FILE_UNREADABLE', { file, reason: cause.code }, fix === undefined ? { cause } : { cause, fix })
}
