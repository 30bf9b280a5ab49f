import type { ReadFile } from '../../ports/file-system.ts'
import { bodyOffset, type FrameHead, type FramePlace, frameHeadBytes, readFrameHead } from './frame.ts'
import { checkDirectory, type Fault } from './frame-fault.ts'

export interface FoundFrame {
  readonly bytes: Buffer
  /** Where the frame begins in bytes. Valid until the next call. */
  readonly at: number
  readonly frame: FrameHead
}

/** Reads frames through a window that moves forward: heads and directories, which pass blocks over, or whole ones. */
export class FrameCursor {
  private readonly file: ReadFile
  private readonly place: Omit<FramePlace, 'position'>
  private window = Buffer.alloc(0)
  private windowAt = 0

  constructor(file: ReadFile, place: Omit<FramePlace, 'position'>) {
    this.file = file
    this.place = place
  }

  /** The frame at `position`, head and directory verified; or what is wrong there. */
  async at(position: number): Promise<FoundFrame | Fault> {
    await this.need(position, frameHeadBytes)
    const head = readFrameHead(this.window, position - this.windowAt)
    if (head) await this.need(position, bodyOffset(head))
    const at = position - this.windowAt
    const frame = checkDirectory(this.window, at, { ...this.place, position }, Number.POSITIVE_INFINITY)
    return 'reason' in frame ? frame : { bytes: this.window, at, frame }
  }

  /** The same with the frame's blocks in the bytes, as far as the file has them. They are not verified. */
  async whole(position: number): Promise<FoundFrame | Fault> {
    const found = await this.at(position)
    if ('reason' in found) return found
    await this.need(position, found.frame.length)
    return { bytes: this.window, at: position - this.windowAt, frame: found.frame }
  }

  private async need(position: number, bytes: number): Promise<void> {
    if (position >= this.windowAt && position + bytes <= this.windowAt + this.window.length) return
    const window = Buffer.allocUnsafeSlow(Math.max(1 << 16, bytes))
    this.window = window.subarray(0, await this.file.read(window, position))
    this.windowAt = position
  }
}
