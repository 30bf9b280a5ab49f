import { bodyOffset, type FrameHead, readEntries } from './frame.ts'
import { entryFault, type Fault } from './frame-fault.ts'

/** Every bad block of the frame at `at` of bytes, whose directory verifies. Positions are in the file. */
export function blockFaults(bytes: Buffer, at: number, frame: FrameHead): Fault[] {
  const faults: Fault[] = []
  const shift = at - frame.position
  const limit = Math.min(at + frame.length, bytes.length)
  let end = frame.position + bodyOffset(frame)
  for (const { position, length, check } of readEntries(bytes, at, frame)) {
    const reason = entryFault(bytes, position + shift, limit, length, check)
    if (reason !== undefined) faults.push({ position, reason })
    end = position + length
  }
  if (end !== frame.position + frame.length) faults.push({ position: end, reason: 'the blocks do not fill the frame' })
  return faults
}
