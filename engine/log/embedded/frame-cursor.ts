import type { ReadFile } from '../../ports/file-system.ts'
import { bodyOffset, type FrameHead, type FramePlace, frameHeadBytes, readFrameHead } from './frame.ts'
import { checkDirectory, type Fault } from './frame-fault.ts'
import { KeptBuffer } from './kept-buffer.ts'

export interface FoundFrame {
  readonly bytes: Buffer
  /** Where the frame begins in bytes. Valid until the next call. */
  readonly at: number
  readonly frame: FrameHead
}

const windowBytes = 1 << 16
/** A larger window is for one frame only. */
export const windowKeptBytesMax = 1 << 20

/** Reads frames through a window that moves forward: heads and directories, which pass blocks over, or whole ones. */
export class FrameCursor {
  private readonly file: ReadFile
  private readonly place: Omit<FramePlace, 'position'>
  private window: Buffer = Buffer.alloc(0)
  private windowAt = 0
  private readonly end: number
  private readonly memory: KeptBuffer

  /** @param options `end`: nothing from there on is of use; `memory`: of no other cursor that is in use at the same time. */
  constructor(file: ReadFile, place: Omit<FramePlace, 'position'>, options: { end?: number; memory?: KeptBuffer } = {}) {
    this.file = file
    this.place = place
    this.end = options.end ?? Number.POSITIVE_INFINITY
    this.memory = options.memory ?? new KeptBuffer(windowKeptBytesMax)
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
    const window = this.memory.take(Math.max(bytes, Math.min(windowBytes, this.end - position)))
    this.window = window.subarray(0, await this.file.read(window, position))
    this.windowAt = position
  }
}
