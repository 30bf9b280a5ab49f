import { codeOf } from '../../errors.ts'
import type { FileSystem } from '../../ports/file-system.ts'
import type { Clock, Logger } from '../../ports/world.ts'
import { reserveFileName } from './file-names.ts'

const retryAfterMs = 1000

/**
 * Disk space kept back for what makes room or must be said when the disk is full. Once it is used up, records of other topics are
 * refused until it could be set aside again: so they never take the last bytes.
 */
export class DiskReserve {
  private readonly fs: FileSystem
  private readonly clock: Clock
  private readonly logger: Logger
  private readonly bytes: number
  private triedAt = Number.NEGATIVE_INFINITY
  /** The space is set aside. */
  held = false

  constructor(parts: { fs: FileSystem; clock: Clock; logger: Logger }, bytes: number) {
    this.fs = parts.fs
    this.clock = parts.clock
    this.logger = parts.logger
    this.bytes = bytes
  }

  /** Sets the space aside where that is possible; tries at most once a second. @returns whether it is. */
  async restore(): Promise<boolean> {
    if (this.held || this.clock.monotonic() - this.triedAt < retryAfterMs) return this.held
    this.triedAt = this.clock.monotonic()
    try {
      this.held = (await this.heldAlready()) || (await this.create())
    } catch (error) {
      if (codeOf(error) !== 'DISK_FULL') throw error
      // There may have been no room for the file itself.
      if (await this.isThere()) await this.fs.remove(reserveFileName)
      this.logger.warn({ bytes: this.bytes }, 'no disk space left to set the reserve aside')
    }
    return this.held
  }

  /** Gives the space to whoever needs it now. @returns false when there was none. */
  async release(): Promise<boolean> {
    if (!this.held) return false
    this.held = false
    this.triedAt = this.clock.monotonic()
    await this.fs.remove(reserveFileName)
    this.logger.warn({ bytes: this.bytes }, 'disk full: the reserve is used for control operations')
    return true
  }

  private async heldAlready(): Promise<boolean> {
    if (!(await this.isThere())) return false
    const file = await this.fs.open(reserveFileName)
    const size = await file.size().finally(() => file.close())
    if (size >= this.bytes) return true
    await this.fs.remove(reserveFileName)
    return false
  }

  private async isThere(): Promise<boolean> {
    return (await this.fs.list()).includes(reserveFileName)
  }

  private async create(): Promise<boolean> {
    const file = await this.fs.create(reserveFileName)
    try {
      // Not zeros: some file systems store those without space.
      const piece = Buffer.alloc(Math.min(this.bytes, 1 << 20))
      for (let i = 0; i < piece.length; i++) piece[i] = Math.imul(i, 0x9e3779b1) >>> 13
      for (let at = 0; at < this.bytes; at += piece.length) await file.write(piece.subarray(0, this.bytes - at), at)
      await file.sync()
    } finally {
      await file.close()
    }
    return true
  }
}
