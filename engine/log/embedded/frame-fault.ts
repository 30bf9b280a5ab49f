import { blockFault } from '../../block/block-view.ts'
import { checksum } from '../../block/checksum.ts'
import { headBytes } from '../../block/layout.ts'
import { bodyOffset, type FrameHead, type FramePlace, frameHeadBytes, type LogId, readEntries, readFrameHead } from './frame.ts'

/** What is wrong at a place of a file. `position` is in the file. */
export interface Fault {
  readonly position: number
  readonly reason: string
}

/**
 * Checks the frame at `at` of bytes that hold the file from its beginning.
 * @param place where the frame must think it is; a frame of another place is none.
 * @returns the head, or what is wrong.
 */
export function checkFrame(bytes: Buffer, place: FramePlace, limit: number): FrameHead | Fault {
  const at = place.position
  const head = checkDirectory(bytes, at, place, limit)
  if ('reason' in head) return head
  const fault = bodyFault(bytes, at, head)
  return fault ?? head
}

/** The same without the blocks. `at` is where the frame begins in bytes, which need not hold the file from its beginning. */
export function checkDirectory(bytes: Buffer, at: number, place: FramePlace, limit: number): FrameHead | Fault {
  const position = place.position
  const head = readFrameHead(bytes, at)
  if (head === undefined) return { position, reason: 'no frame head that verifies' }
  if (head.logId !== place.logId || head.file !== place.file || head.position !== position) {
    return { position, reason: 'the frame belongs to another place' }
  }
  const body = bodyOffset(head)
  if (head.length % 8 !== 0 || body > head.length || position + head.length > limit) return { position, reason: 'frame cut off' }
  if (at + body > bytes.length) return { position, reason: 'frame cut off' }
  if (checksum(bytes, at + frameHeadBytes, at + body) !== head.directoryChecksum) {
    return { position, reason: 'frame directory checksum differs' }
  }
  return head
}

/** Looks for a frame head from `from` on that names this file and its own position, and whose commit number is above `after`. `base`: where bytes begin in the file. */
export function frameBehind(
  bytes: Buffer,
  from: number,
  place: { file: number; logId: LogId | undefined },
  after: number,
  base = 0,
): FrameHead | undefined {
  for (let at = from; at + frameHeadBytes <= bytes.length; at += 8) {
    const head = readFrameHead(bytes, at)
    if (head === undefined || head.file !== place.file || head.position !== base + at || head.commitNumber <= after) continue
    if (place.logId === undefined || place.logId === head.logId) return head
  }
  return undefined
}

function bodyFault(bytes: Buffer, at: number, head: FrameHead): Fault | undefined {
  let p = at + bodyOffset(head)
  const end = at + head.length
  for (const entry of readEntries(bytes, at, head)) {
    const reason = entryFault(bytes, p, end, entry.length, entry.check)
    if (reason !== undefined) return { position: entry.position, reason }
    p += entry.length
  }
  return p === end ? undefined : { position: head.position + (p - at), reason: 'the blocks do not fill the frame' }
}

/** @returns what is wrong with the block at `at` that a directory promised, or undefined. */
export function entryFault(bytes: Buffer, at: number, end: number, length: number, check: number): string | undefined {
  if (at + headBytes > end || at + length > end) return 'block cut off'
  if (bytes.readUInt32LE(at) !== length) return 'block length differs from the directory'
  if (bytes.readUInt32LE(at + 4) !== check) return 'block differs from the directory'
  return blockFault(bytes, at, at + length)
}
