import type { FileSystem, ReadFile } from '../../ports/file-system.ts'
import { corrupt } from './corrupt.ts'
import { logFileName, parseFileName, segmentFileName } from './file-names.ts'
import { type FrameHead, frameHeadBytes, frameKind, type LogId, readFrameHead } from './frame.ts'
import { FrameCursor } from './frame-cursor.ts'
import { type Fault, frameBehind } from './frame-fault.ts'
import { checkFormat } from './log-scan.ts'
import { filesTakenOut } from './operation.ts'
import type { PublishedEnd } from './published.ts'

export interface FoundEnd extends PublishedEnd {
  readonly logId: LogId
}

interface Scanned {
  readonly logId: LogId
  /** The last frame there is, whether or not its blocks are all written. */
  readonly last: FrameHead | undefined
  /** Files that frame takes off the list. */
  readonly takenOut: readonly number[]
  /** What stands behind it. */
  readonly fault: Fault
}

/**
 * Finds up to where the log that another process writes is surely durable, from its files alone.
 *
 * Invariants of the writer that this rests on:
 * I1 a frame is only written when the sync of the one before it has returned, and what stands before a frame is never taken back;
 * I2 a head is synced before its file is called a log file, and that name before the first frame behind the head is written;
 * I3 a file is removed only after the edit that takes it off the list was synced; a log file that belongs to a segment after that segment.
 * So the last frame does not count until another stands behind it (I1), a file without a head is damaged and one with nothing behind
 * its head does not count yet (I2), and an edit at the very end counts when files that it takes out are gone (I3).
 */
export class DurableEnd {
  private readonly fs: FileSystem
  private found: FoundEnd | undefined
  /** By file: where the last look ended, and at which size of the file it was searched for frames behind that. */
  private readonly tails = new Map<number, { position: number; searchedSize: number }>()

  constructor(fs: FileSystem) {
    this.fs = fs
  }

  /**
   * @returns undefined where no log has begun yet.
   * Errors: LOG_CORRUPT, LOG_FORMAT_UNKNOWN; FILE_UNREADABLE when files went while this was looking: look again.
   */
  async find(): Promise<FoundEnd | undefined> {
    const numbers = (await this.fs.list()).map(parseFileName).flatMap((name) => (name?.kind === 'log' ? [name.number] : []))
    const known = this.found?.file ?? 0
    if (known > 0 && Math.max(0, ...numbers) < known) await this.fs.open(logFileName(known)).then((file) => file.close())
    for (const number of numbers.filter((number) => number >= known).sort((a, b) => b - a)) {
      const end = await this.inFile(number)
      if (end === undefined) continue
      if (this.found && end.logId !== this.found.logId) throw corrupt(logFileName(number), 0, 'the file belongs to another log')
      for (const older of this.tails.keys()) if (older < number) this.tails.delete(older)
      return (this.found = end)
    }
    return this.found
  }

  private async inFile(number: number): Promise<FoundEnd | undefined> {
    const { logId, last, takenOut } = await this.scanSound(number)
    if (last === undefined) return undefined
    const known = this.found?.file === number
    if (await this.someGone(takenOut)) return { logId, file: number, position: last.position + last.length }
    return last.position === 0 && !known ? undefined : { logId, file: number, position: last.position }
  }

  /** Errors: LOG_CORRUPT when what does not verify is no frame that is being written, nor a torn one. */
  private async scanSound(number: number): Promise<Scanned> {
    const name = logFileName(number)
    const file = await this.fs.open(name)
    try {
      const scanned = await this.scan(file, number)
      const { fault } = scanned
      const size = await file.size()
      if (!this.worthSearching(number, fault.position, size)) return scanned
      const behind = await this.behind(file, size, scanned, number)
      if (behind === undefined) return scanned
      // The writer may have gone on meanwhile. What stands before that frame stays as it is from now on (I1): it must verify.
      const again = await this.scan(file, number)
      if (again.fault.position > behind.position) return again
      throw corrupt(name, again.fault.position, `${again.fault.reason}, and there is a frame behind it at ${behind.position}`)
    } finally {
      await file.close()
    }
  }

  private async behind(file: ReadFile, size: number, { logId, last, fault }: Scanned, number: number): Promise<FrameHead | undefined> {
    const base = fault.position + 8
    const tail = Buffer.allocUnsafeSlow(size - base)
    const read = await file.read(tail, base)
    return frameBehind(tail.subarray(0, read), 0, { file: number, logId }, last?.commitNumber ?? -1, base)
  }

  /** At the first look, and when a tail that does not verify stays: a writer that lives goes on. */
  private worthSearching(file: number, position: number, size: number): boolean {
    const tail = this.tails.get(file)
    const stays = tail?.position === position
    const worth = size > position + 8 && (this.found === undefined || (stays && tail.searchedSize !== size))
    this.tails.set(file, { position, searchedSize: worth ? size : stays ? tail.searchedSize : 0 })
    return worth
  }

  /** Visits the frames from where the last look ended, or from the head. */
  private async scan(file: ReadFile, number: number): Promise<Scanned> {
    const known = this.found?.file === number ? this.found : undefined
    const logId = known?.logId ?? (await readLogId(file, number))
    let last: FrameHead | undefined
    let takenOut: readonly number[] = []
    let position = known?.position ?? 0
    const cursor = new FrameCursor(file, { logId, file: number })
    for (;;) {
      const found = await cursor.at(position)
      if ('reason' in found) return { logId, last, takenOut, fault: found }
      const { frame } = found
      if (last && frame.commitNumber !== last.commitNumber + 1) {
        return { logId, last, takenOut, fault: { position, reason: 'commit number out of order' } }
      }
      last = frame
      takenOut = filesTakenOut(found.bytes, found.at, frame)
      position += frame.length
    }
  }

  private async someGone(files: readonly number[]): Promise<boolean> {
    if (files.length === 0) return false
    const names = new Set(await this.fs.list())
    return files.some((number) => !names.has(logFileName(number)) && !names.has(segmentFileName(number)))
  }
}

/** Errors: LOG_CORRUPT when the file does not begin with a head, LOG_FORMAT_UNKNOWN. */
async function readLogId(file: ReadFile, number: number): Promise<LogId> {
  const bytes = Buffer.alloc(frameHeadBytes)
  const head = readFrameHead(bytes.subarray(0, await file.read(bytes, 0)), 0)
  if (head === undefined) throw corrupt(logFileName(number), 0, 'no head that verifies')
  checkFormat(head)
  if (head.kind !== frameKind.head || head.file !== number) throw corrupt(logFileName(number), 0, 'the file does not begin with its head')
  return head.logId
}
