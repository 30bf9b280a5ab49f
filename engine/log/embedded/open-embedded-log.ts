import { mkdir } from 'node:fs/promises'
import { DirectoryLock } from './directory-lock.ts'
import { EmbeddedLog, type EmbeddedLogOptions } from './embedded-log.ts'
import { NodeFileSystem } from './node-file-system.ts'

/**
 * Opens the log of a directory of this machine, which is created if need be, and owns it until the log is closed.
 * Errors: LOG_LOCKED, FILE_UNWRITABLE, and those of EmbeddedLog.open.
 */
export async function openEmbeddedLog(
  options: Omit<EmbeddedLogOptions, 'fs' | 'lock'> & { readonly directory: string },
): Promise<EmbeddedLog> {
  const { directory, fatal = throwOutside, ...rest } = options
  await mkdir(directory, { recursive: true })
  const lock = await DirectoryLock.acquire(directory, { lost: fatal })
  try {
    return await EmbeddedLog.open({ ...rest, fatal, fs: new NodeFileSystem(directory), lock })
  } catch (error) {
    await lock.release()
    throw error
  }
}

function throwOutside(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}
