import { codeOf } from '../../errors.ts'
import type { WriteFile } from '../../ports/file-system.ts'

const pageBytes = 4096

/**
 * Room ahead of the end of a log file that grows by little at a time. A sync of bytes that make the file longer waits for the file system's
 * journal, and with it for what everybody else writes to the disk; a sync of bytes that have their place waits for the disk alone.
 *
 * Invariants:
 * I1 what is being filled lies behind all that was written, and no write touches it before it is filled;
 * I2 once filling failed in a way that says nothing about the disk, nothing of the file counts as durable any more.
 */
export class FillAhead {
  private readonly file: Pick<WriteFile, 'fillAhead'>
  /** Zeros, or what was written since, stand up to here. */
  private filledTo = 0
  private filling: { readonly from: number; readonly done: Promise<void> } | undefined
  /** Written since the last large write. */
  private smallBytes = 0
  private failure: { readonly error: unknown } | undefined
  private began = false
  private stopped = false

  constructor(file: Pick<WriteFile, 'fillAhead'>) {
    this.file = file
  }

  /** Tells that the file has grown to `end` by `written` bytes. Large writes need no room: they pay for it once. */
  grown(end: number, written: number, chunkBytes: number, limit: number): void {
    this.smallBytes = written <= chunkBytes / 16 ? this.smallBytes + written : 0
    if (this.stopped || this.filling || this.smallBytes < chunkBytes / 64 || this.filledTo - end >= chunkBytes / 2) return
    // At first some way ahead: those who write meanwhile are not to wait.
    const from = this.filledTo > end ? this.filledTo : pageAt(end + chunkBytes / 16)
    const to = Math.min(from + chunkBytes, limit)
    if (to <= from) return
    this.began = true
    this.filling = { from, done: this.fill(from, to) }
  }

  /** Resolves when the file can be written up to `to` (I1). */
  async clear(to: number): Promise<void> {
    if (this.filling && to > this.filling.from) await this.filling.done
    this.check()
  }

  /** I2: throws what filling failed with. */
  check(): void {
    if (this.failure) throw this.failure.error
  }

  /** @returns whether there may be room that was not used, when nothing is filled any more. */
  async stop(): Promise<boolean> {
    this.stopped = true
    await this.filling?.done
    return this.began
  }

  private async fill(from: number, to: number): Promise<void> {
    try {
      await this.file.fillAhead(from, to)
      this.filledTo = to
    } catch (error) {
      // Those who write are told when they come to it.
      this.stopped = true
      if (codeOf(error) !== 'DISK_FULL') this.failure = { error }
    }
    this.filling = undefined
  }
}

function pageAt(position: number): number {
  return Math.ceil(position / pageBytes) * pageBytes
}
