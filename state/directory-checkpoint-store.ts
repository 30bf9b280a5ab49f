import { crc32 } from 'node:zlib'
import { codeOf, StreamError } from '../engine/errors.ts'
import type { CheckpointStore } from '../engine/ports/checkpoint-store.ts'
import type { FileSystem, ReadFile, WriteFile } from '../engine/ports/file-system.ts'

const unfinished = '.tmp'

/** Whether a file of this name is still being written; all others are never changed. */
export const isUnfinished = (name: string): boolean => name.endsWith(unfinished)

const readBackBytes = 1 << 20

/**
 * Checkpoints as files of one directory. A file is written aside, synced, read back and compared, and only then gets its name,
 * which is synced too: a name either has the whole file or does not exist.
 */
export class DirectoryCheckpointStore implements CheckpointStore {
  private readonly directory: FileSystem

  /** @param directory of this task's checkpoints alone. */
  constructor(directory: FileSystem) {
    this.directory = directory
  }

  /** Errors: CHECKPOINT_CORRUPT (what is read back is not what was written), DISK_FULL. */
  async put(name: string, parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
    const { directory } = this
    const aside = name + unfinished
    try {
      await this.remove(aside)
      await this.writeAside(aside, name, parts)
      await directory.rename(aside, name)
      await directory.syncDirectory()
    } catch (error) {
      await this.removeQuietly(aside)
      throw error
    }
  }

  /** @param length is allocated. */
  async read(name: string, position: number, length: number): Promise<Uint8Array | null> {
    return this.withFile(name, async (file) => {
      const into = Buffer.allocUnsafeSlow(length)
      return into.subarray(0, await file.read(into, position))
    })
  }

  size(name: string): Promise<number | null> {
    return this.withFile(name, (file) => file.size())
  }

  async list(): Promise<readonly string[]> {
    return (await this.directory.list()).filter((name) => !isUnfinished(name)).sort()
  }

  /** Removes what a crash left half written. For the task alone whose checkpoints these are, before it writes any. */
  async clearUnfinished(): Promise<void> {
    for (const name of await this.directory.list()) if (isUnfinished(name)) await this.remove(name)
  }

  async remove(name: string): Promise<void> {
    try {
      await this.directory.remove(name)
    } catch (error) {
      if (codeOf(error) !== 'FILE_UNREADABLE') throw error
    }
  }

  private async writeAside(aside: string, name: string, parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
    const file = await this.directory.create(aside)
    try {
      const written = await writeParts(file, parts)
      await file.sync()
      await compare(file, written, name)
    } finally {
      await file.close()
    }
  }

  /** After a failure that is reported anyway; what stays is removed by the next life. */
  private async removeQuietly(name: string): Promise<void> {
    await this.remove(name).catch(() => undefined)
  }

  private async withFile<T>(name: string, use: (file: ReadFile) => Promise<T>): Promise<T | null> {
    let file: ReadFile
    try {
      file = await this.directory.open(name)
    } catch (error) {
      if (codeOf(error) === 'FILE_UNREADABLE') return null
      throw error
    }
    try {
      return await use(file)
    } finally {
      await file.close()
    }
  }
}

interface Written {
  readonly bytes: number
  readonly checksum: number
}

async function writeParts(file: WriteFile, parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<Written> {
  let bytes = 0
  let checksum = 0
  for await (const part of parts) {
    checksum = crc32(part, checksum)
    await file.write(part, bytes)
    bytes += part.length
  }
  return { bytes, checksum }
}

async function compare(file: ReadFile, written: Written, name: string): Promise<void> {
  const into = Buffer.allocUnsafeSlow(readBackBytes)
  let bytes = 0
  let checksum = 0
  for (;;) {
    const got = await file.read(into, bytes)
    if (got === 0) break
    checksum = crc32(into.subarray(0, got), checksum)
    bytes += got
  }
  if (bytes !== written.bytes || checksum !== written.checksum) {
    throw new StreamError('CHECKPOINT_CORRUPT', {
      file: name,
      reason: 'what was read back is not what was written',
      bytes,
      writtenBytes: written.bytes,
    })
  }
}
