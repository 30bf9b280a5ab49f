import type { FileSystem, WriteFile } from '../../ports/file-system.ts'
import { begunFileName, logFileName } from './file-names.ts'

/**
 * The one file that is appended to.
 * Invariant: `end` is a durable end: all that stands before it was synced.
 */
export class LogFile {
  readonly number: number
  readonly name: string
  end = 0
  private readonly file: WriteFile

  private constructor(number: number, file: WriteFile) {
    this.number = number
    this.name = logFileName(number)
    this.file = file
  }

  /** Under the name of a file that is begun; see `named`. */
  static async create(fs: FileSystem, number: number): Promise<LogFile> {
    return new LogFile(number, await fs.create(begunFileName(number), { syncOnWrite: true }))
  }

  /** Gives the file its name, durably. Its head must be durable BEFORE. DISK_FULL: it has not got it. */
  async named(fs: FileSystem): Promise<void> {
    await fs.rename(begunFileName(this.number), this.name)
    await fs.syncDirectory().catch((cause: unknown) => {
      // For want of space, too: it may have its name now, which can't be taken back.
      throw new Error(`${this.name} may have its name or not`, { cause })
    })
  }

  /** One write. The bytes may not be changed before it settles. */
  write(bytes: Uint8Array): Promise<void> {
    return this.file.write(bytes, this.end)
  }

  /** Makes what was written behind `end` durable and moves `end` past it. */
  async sync(bytes: number): Promise<void> {
    await this.file.sync()
    this.end += bytes
  }

  /** Takes back what was written behind `end`, durably. */
  async takeBack(): Promise<void> {
    await this.file.truncate(this.end)
    await this.file.sync()
  }

  close(): Promise<void> {
    return this.file.close()
  }
}
