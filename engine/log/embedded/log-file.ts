import type { FileSystem, WriteFile } from '../../ports/file-system.ts'
import { begunFileName, logFileName } from './file-names.ts'
import { FillAhead } from './fill-ahead.ts'

/**
 * The one file that is appended to.
 * Invariant: `end` is a durable end: all that stands before it was synced.
 */
export class LogFile {
  readonly number: number
  readonly name: string
  end = 0
  private readonly file: WriteFile
  private readonly ahead: FillAhead

  private constructor(number: number, file: WriteFile) {
    this.number = number
    this.name = logFileName(number)
    this.file = file
    this.ahead = new FillAhead(file)
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
  async write(bytes: Uint8Array): Promise<void> {
    await this.ahead.clear(this.end + bytes.length)
    await this.file.write(bytes, this.end)
  }

  /** Makes what was written behind `end` durable and moves `end` past it. */
  async sync(bytes: number): Promise<void> {
    await this.file.sync()
    this.ahead.check()
    this.end += bytes
  }

  /** Makes room behind the end, in the background, when the file grows by little at a time. @param limit the file is not to be longer. */
  makeRoom(written: number, chunkBytes: number, limit: number): void {
    this.ahead.grown(this.end, written, chunkBytes, limit)
  }

  /** Takes back what was written behind `end`, durably. */
  async takeBack(): Promise<void> {
    await this.ahead.stop()
    await this.file.truncate(this.end)
    await this.file.sync()
  }

  /** Room that was not needed. Nothing behind the end counts, so nobody has to know whether it is gone. Not after a write that failed. */
  async giveRoomBack(): Promise<void> {
    if (await this.ahead.stop()) await this.file.truncate(this.end)
  }

  async close(): Promise<void> {
    await this.ahead.stop()
    await this.file.close()
  }
}
