import type { ReadFile } from '../../ports/file-system.ts'
import { bodyOffset, type FrameHead, type FramePlace, frameHeadBytes, readFrameHead } from './frame.ts'
import { checkDirectory, type Fault } from './frame-fault.ts'

export interface FoundFrame {
  readonly bytes: Buffer
  /** Where the frame begins in bytes. Valid until the next call. */
  readonly at: number
  readonly frame: FrameHead
}

const windowBytes = 1 << 16
const keptBytesMax = 1 << 20

/** Memory for a window that is used again: a new one for each look at a growing file would keep the collector busy. */
export class WindowMemory {
  private kept: Buffer = Buffer.alloc(0)

  /** Its content is whatever was there before. */
  take(bytes: number): Buffer {
    if (this.kept.length >= bytes) return this.kept.subarray(0, bytes)
    const fresh = Buffer.allocUnsafeSlow(Math.max(windowBytes, bytes))
    if (fresh.length <= keptBytesMax) this.kept = fresh
    return fresh.subarray(0, bytes)
  }
}

/** Reads frames through a window that moves forward: heads and directories, which pass blocks over, or whole ones. */
export class FrameCursor {
  private readonly file: ReadFile
  private readonly place: Omit<FramePlace, 'position'>
  private window: Buffer = Buffer.alloc(0)
  private windowAt = 0
  private readonly end: number
  private readonly memory: WindowMemory

  /** @param options `end`: nothing from there on is of use; `memory`: of no other cursor that is in use at the same time. */
  constructor(file: ReadFile, place: Omit<FramePlace, 'position'>, options: { end?: number; memory?: WindowMemory } = {}) {
    this.file = file
    this.place = place
    this.end = options.end ?? Number.POSITIVE_INFINITY
    this.memory = options.memory ?? new WindowMemory()
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
