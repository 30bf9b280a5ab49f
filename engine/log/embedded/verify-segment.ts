import type { FileSystem, ReadFile } from '../../ports/file-system.ts'
import { corrupt } from './corrupt.ts'
import { segmentFileName } from './file-names.ts'
import { bodyOffset, frameKind, type LogId, readEntries } from './frame.ts'
import { entryFault, type Fault } from './frame-fault.ts'
import { KeptBuffer } from './kept-buffer.ts'
import { readSegmentHead } from './segment-directory.ts'

/** Reads the whole file of a segment. Errors: LOG_CORRUPT with the first fault. */
export async function verifySegment(fs: FileSystem, number: number, logId: LogId, memory: KeptBuffer): Promise<void> {
  const name = segmentFileName(number)
  const file = await fs.open(name)
  try {
    for await (const fault of segmentFaults(file, number, logId, { memory })) throw corrupt(name, fault.position, fault.reason)
  } finally {
    await file.close()
  }
}

/**
 * Every bad block in the file of a segment; blocks that have stayed in a log file are verified there.
 * @param options `pace` is awaited for each block with its bytes; `memory` holds one block at a time. Errors: LOG_CORRUPT when its directory is bad.
 */
export async function* segmentFaults(
  file: ReadFile,
  number: number,
  logId: LogId,
  { pace, memory = new KeptBuffer() }: { pace?: (bytes: number) => Promise<void>; memory?: KeptBuffer } = {},
): AsyncGenerator<Fault, void> {
  const { bytes, head } = await readSegmentHead(file, number, logId)
  let end = bodyOffset(head)
  for (const { position, length, check } of head.kind === frameKind.index ? [] : readEntries(bytes, 0, head)) {
    const block = memory.take(length)
    const read = await file.read(block, position)
    const reason = read < length ? 'the file ends within a block' : entryFault(block, 0, length, length, check)
    if (reason !== undefined) yield { position, reason }
    end = position + length
    await pace?.(length)
  }
  if (end !== head.length) yield { position: end, reason: 'the blocks do not fill the segment' }
}
