import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { fileUnreadable } from './file-unreadable.ts'

/** What in a data directory, beside its log, only a log that was used leaves: checkpoints. Names below the data directory; none: nothing tells of a log. */
export async function logTraces(data: string): Promise<readonly string[]> {
  const found = await readdir(path.join(data, 'checkpoints'), { recursive: true, withFileTypes: true }).catch((error) => {
    if (error.code === 'ENOENT') return []
    throw fileUnreadable(path.join(data, 'checkpoints'), error)
  })
  return found.filter((entry) => entry.isFile()).map((entry) => path.relative(data, path.join(entry.parentPath, entry.name)))
}
