import { assert } from '../../assert.ts'
import { codeOf } from '../../errors.ts'
import type { ReadFile } from '../../ports/file-system.ts'
import { Catalog } from './catalog.ts'
import { corrupt } from './corrupt.ts'
import { logFileName } from './file-names.ts'
import { type FrameHead, frameHeadBytes, type LogId, readDetail, readEntries } from './frame.ts'
import { FrameCursor, windowKeptBytesMax } from './frame-cursor.ts'
import { catalogOf, type HeadState } from './head.ts'
import { KeptBuffer } from './kept-buffer.ts'
import type { OpenFiles } from './open-files.ts'
import { filesTakenOut } from './operation.ts'
import type { PublishedEnd } from './published.ts'

/** Follows the writer by the directories of its frames: reads heads and directories, never the records. */
export class TailFollower {
  /** Replaced by another object when the follower fell behind by more than a file. */
  catalog = new Catalog()
  end: PublishedEnd = { file: 0, position: 0 }
  private readonly files: OpenFiles
  private readonly logId: LogId
  private readonly memory = new KeptBuffer(windowKeptBytesMax)

  constructor(files: OpenFiles, logId: LogId) {
    this.files = files
    this.logId = logId
  }

  isAt({ file, position }: PublishedEnd): boolean {
    return this.end.file === file && this.end.position === position
  }

  /** Goes on to what is published. @returns whether there was anything. Errors: LOG_CORRUPT. */
  async advance(published: { end(): PublishedEnd }): Promise<boolean> {
    let changed = false
    for (let target = published.end(); !this.isAt(target); target = published.end()) {
      try {
        if (target.file === this.end.file) await this.applyFrames(target.file, this.end.position, target.position)
        else await this.changeFile(target)
        changed = true
        break
      } catch (error) {
        // A file that is missing was rewritten, and a newer list says so.
        if (codeOf(error) !== 'FILE_UNREADABLE' || sameEnd(published.end(), target)) throw error
      }
    }
    return changed
  }

  private async changeFile(target: PublishedEnd): Promise<void> {
    const { head, state } = await this.readHead(target.file)
    const closed = state.logs.find(([number]) => number === this.end.file)
    // A recovery carries the last frame it found into the new file and ends the old one before it: what was taken in from there has moved.
    const finished = closed !== undefined && closed[1] >= this.end.position && (await this.finishFile(...closed))
    // More than one file further, or the one between was rewritten already.
    if (!finished || this.catalog.commitNumber !== head.commitNumber) return this.rebuild(target, head, state)
    this.end = { file: target.file, position: head.length }
    await this.applyFrames(target.file, head.length, target.position)
  }

  /** Reads a file that was closed to its end. @returns false when it is gone. */
  private async finishFile(file: number, end: number): Promise<boolean> {
    try {
      await this.applyFrames(file, this.end.position, end)
    } catch (error) {
      if (codeOf(error) === 'FILE_UNREADABLE') return false
      throw error
    }
    this.catalog.logs.set(file, { number: file, end })
    return true
  }

  /** Begins anew from a head: what lies between is not missed, the head has it. */
  private async rebuild(target: PublishedEnd, head: FrameHead, state: HeadState): Promise<void> {
    const catalog = catalogOf(state, head.commitNumber)
    catalog.edits = this.catalog.edits + 1
    await this.walk(target.file, head.length, target.position, (bytes, at, frame) => {
      for (const number of filesTakenOut(bytes, at, frame)) catalog.logs.delete(number)
    })
    const index = (bytes: Buffer, at: number, frame: FrameHead) => catalog.indexBlocks(frame.file, readEntries(bytes, at, frame))
    for (const { number, end } of [...catalog.logs.values()].sort((a, b) => a.number - b.number)) await this.walk(number, 0, end, index)
    await this.walk(target.file, 0, head.length, index)
    await this.walk(target.file, head.length, target.position, (bytes, at, frame) => catalog.apply(bytes, at, frame))
    this.catalog = catalog
    this.end = target
  }

  private async applyFrames(file: number, from: number, to: number): Promise<void> {
    await this.walk(file, from, to, (bytes, at, frame) => {
      this.catalog.apply(bytes, at, frame)
      this.end = { file, position: frame.position + frame.length }
    })
  }

  private async readHead(file: number): Promise<{ head: FrameHead; state: HeadState }> {
    let found: { head: FrameHead; state: HeadState } | undefined
    await this.walk(file, 0, frameHeadBytes, (bytes, at, head) => {
      found = { head, state: readDetail(bytes, at, head) as HeadState }
    })
    assert(found !== undefined, 'a log file without a head was published')
    return found
  }

  /** Visits the frames that begin in [from, to), in order. */
  private async walk(file: number, from: number, to: number, visit: (bytes: Buffer, at: number, frame: FrameHead) => void): Promise<void> {
    if (from >= to) return
    const name = logFileName(file)
    await this.files.use(name, async (open: ReadFile) => {
      const cursor = new FrameCursor(open, { logId: this.logId, file }, { end: to, memory: this.memory })
      for (let position = from; position < to; ) {
        const found = await cursor.at(position)
        if ('reason' in found) throw corrupt(name, found.position, found.reason)
        visit(found.bytes, found.at, found.frame)
        position += found.frame.length
      }
    })
  }
}

function sameEnd(a: PublishedEnd, b: PublishedEnd): boolean {
  return a.file === b.file && a.position === b.position
}
