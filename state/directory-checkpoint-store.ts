import { createHash } from 'node:crypto'
import { codeOf, StreamError } from '../engine/errors.ts'
import type { CheckpointStore } from '../engine/ports/checkpoint-store.ts'
import type { FileSystem } from '../engine/ports/file-system.ts'

const partial = '.partial'
const chunkBytes = 1 << 18

/**
 * Checkpoint files in a directory of their own. A file appears under its name only when all of it is on the disk and was read back equal;
 * what a crash left half written is removed at the next `list`.
 */
export class DirectoryCheckpointStore implements CheckpointStore {
  private readonly fs: FileSystem
  /** Temporary names that a put is writing just now. */
  private readonly writing = new Set<string>()

  constructor(fs: FileSystem) {
    this.fs = fs
  }

  async put(name: string, parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
    const { fs } = this
    const temporary = `${name}${partial}`
    this.writing.add(temporary)
    try {
      await this.removeIfThere(temporary)
      await this.write(name, temporary, parts)
      await fs.rename(temporary, name)
      await fs.syncDirectory()
    } finally {
      this.writing.delete(temporary)
    }
  }

  private async write(name: string, temporary: string, parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
    const file = await this.fs.create(temporary)
    const written = createHash('sha1')
    let bytes = 0
    try {
      for await (const part of parts) {
        await file.write(part, bytes)
        written.update(part)
        bytes += part.length
      }
      await file.sync()
      const found = createHash('sha1')
      const buffer = new Uint8Array(chunkBytes)
      for (let at = 0; at < bytes; at += chunkBytes) found.update(buffer.subarray(0, await file.read(buffer, at)))
      if (found.digest('hex') !== written.digest('hex'))
        throw new StreamError('CHECKPOINT_CORRUPT', { file: name, reason: 'it reads back otherwise than it was written' })
    } finally {
      await file.close()
    }
  }

  async read(name: string, position: number, length: number): Promise<Uint8Array | null> {
    const file = await this.open(name)
    if (file === null) return null
    try {
      const bytes = new Uint8Array(length)
      return bytes.subarray(0, await file.read(bytes, position))
    } finally {
      await file.close()
    }
  }

  async size(name: string): Promise<number | null> {
    const file = await this.open(name)
    if (file === null) return null
    try {
      return await file.size()
    } finally {
      await file.close()
    }
  }

  async list(): Promise<readonly string[]> {
    const names = await this.fs.list()
    for (const name of names) if (name.endsWith(partial) && !this.writing.has(name)) await this.removeIfThere(name)
    return names.filter((name) => !name.endsWith(partial)).sort()
  }

  async remove(name: string): Promise<void> {
    await this.removeIfThere(name)
    await this.fs.syncDirectory()
  }

  private async open(name: string) {
    try {
      return await this.fs.open(name)
    } catch (error) {
      if (codeOf(error) === 'FILE_UNREADABLE') return null
      throw error
    }
  }

  private async removeIfThere(name: string): Promise<void> {
    try {
      await this.fs.remove(name)
    } catch (error) {
      if (codeOf(error) !== 'FILE_UNREADABLE') throw error
    }
  }
}
