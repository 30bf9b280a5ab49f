import { StreamError } from '../../engine/errors.ts'

export const inputFormats = ['ndjson', 'json', 'csv'] as const
export type InputFormat = (typeof inputFormats)[number]

/** The name of standard input on the command line. */
export const standardInput = '-'

/** USAGE for standard input without a name: it has no content to be known by before it was read. */
export function checkIdentity(file: string, sourceId: string | undefined): void {
  if (file !== standardInput || sourceId !== undefined) return
  throw new StreamError(
    'USAGE',
    { reason: 'standard input has no identity of its own' },
    { fix: 'add --source-id NAME: the same records under the same name are taken in once' },
  )
}
