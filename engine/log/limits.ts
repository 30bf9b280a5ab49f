import { StreamError } from '../errors.ts'
import type { Append } from '../ports/log.ts'

/** The most bytes that the blocks of one commit may have together. */
export const commitBytesMax = 32 * 1024 * 1024

/** @throws StreamError COMMIT_TOO_LARGE (details: bytes, bytesMax). */
export function checkCommitSize(appends: readonly Append[]): void {
  let bytes = 0
  for (const { block } of appends) bytes += block.length
  if (bytes > commitBytesMax) throw new StreamError('COMMIT_TOO_LARGE', { bytes, bytesMax: commitBytesMax })
}
