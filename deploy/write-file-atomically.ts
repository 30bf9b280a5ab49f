import { rename, rm, writeFile } from 'node:fs/promises'
import { StreamError } from '../engine/errors.ts'

/** Writes a small file aside and renames it: readers see the old text or the new one. Not synced: for what can be made again. */
export async function writeFileAtomically(file: string, text: string): Promise<void> {
  const aside = `${file}.${process.pid}.tmp`
  try {
    await writeFile(aside, text)
    await rename(aside, file)
  } catch (cause) {
    // Where a part of the path is no directory, not even this can be asked.
    await rm(aside, { force: true }).catch(() => {})
    throw new StreamError(
      'FILE_UNWRITABLE',
      { file, reason: (cause as NodeJS.ErrnoException).code },
      { cause, fix: 'name a file in a directory that is there and may be written to' },
    )
  }
}
