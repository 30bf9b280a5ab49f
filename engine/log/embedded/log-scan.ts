import { StreamError } from '../../errors.ts'
import type { FileSystem } from '../../ports/file-system.ts'
import { type FrameHead, frameFormat, frameKind, type LogId, readFrameHead } from './frame.ts'
import { checkFrame, type Fault, frameBehind } from './frame-fault.ts'

export interface ScannedLog {
  readonly head: FrameHead
  /** The frames behind the head, each verified, in order. */
  readonly frames: readonly FrameHead[]
  /** What stands behind the last frame and before the end, if anything. */
  readonly fault: Fault | undefined
}

/** Room that was made ahead and not used is no torn frame. */
export function onlyZeros(bytes: Buffer, from: number): boolean {
  for (let at = from; at < bytes.length; at++) if (bytes[at] !== 0) return false
  return true
}

const pieceBytes = 1 << 20

export interface WholeRead {
  /** No more than so much of it. */
  readonly limit?: number
  /** Where it is read to. */
  readonly room?: (bytes: number) => Buffer
  /** Called between pieces, for others to go on. */
  readonly rest?: () => Promise<void>
}

/** A whole file, or its first bytes. */
export async function readWhole(
  fs: FileSystem,
  name: string,
  { limit = Number.POSITIVE_INFINITY, room = Buffer.allocUnsafeSlow, rest = async () => {} }: WholeRead = {},
): Promise<Buffer> {
  const file = await fs.open(name)
  try {
    const bytes = room(Math.min(await file.size(), limit))
    for (let at = 0; at < bytes.length; ) {
      const read = await file.read(bytes.subarray(at, at + pieceBytes), at)
      if (read === 0) return bytes.subarray(0, at)
      at += read
      await rest()
    }
    return bytes
  } finally {
    await file.close()
  }
}

/** The head a log file begins with, verified with the blocks it carries; or what is wrong with it. Errors: LOG_FORMAT_UNKNOWN. */
export function readLogHead(bytes: Buffer, number: number): FrameHead | Fault {
  const head = readFrameHead(bytes, 0)
  if (head === undefined) return { position: 0, reason: 'no head that verifies' }
  checkFormat(head)
  if (head.kind !== frameKind.head) return { position: 0, reason: 'the file does not begin with a head' }
  return checkFrame(bytes, { logId: head.logId, file: number, position: 0 }, bytes.length)
}

/** Errors: LOG_FORMAT_UNKNOWN. */
export function checkFormat({ format }: FrameHead): void {
  if (format === frameFormat) return
  throw new StreamError(
    'LOG_FORMAT_UNKNOWN',
    { format, known: frameFormat },
    { fix: 'open this data directory with the release that wrote it' },
  )
}

/** Verifies the frames behind a head, up to the first that does not verify or the end of bytes. */
export function scanFrames(bytes: Buffer, head: FrameHead): ScannedLog {
  const frames: FrameHead[] = []
  let position = head.length
  let commitNumber = head.commitNumber
  while (position < bytes.length) {
    const frame = checkFrame(bytes, { logId: head.logId, file: head.file, position }, bytes.length)
    if ('reason' in frame) return { head, frames, fault: frame }
    if (frame.commitNumber !== commitNumber + 1) return { head, frames, fault: { position, reason: 'commit number out of order' } }
    frames.push(frame)
    commitNumber = frame.commitNumber
    position += frame.length
  }
  return { head, frames, fault: undefined }
}

/**
 * Tells damage from a torn write: a frame is only written when all before it are durable, so one that stands behind a fault
 * proves that something durable was lost.
 * @returns the fault with the reason, or undefined when it is torn.
 */
export function damageBehind(bytes: Buffer, fault: Fault, file: number, logId: LogId, after: number): Fault | undefined {
  // The torn frame's own head may well verify; what counts is one behind it.
  const behind = frameBehind(bytes, fault.position + 8, { file, logId }, after)
  return behind && { position: fault.position, reason: `${fault.reason}, and there is a frame behind it at ${behind.position}` }
}
