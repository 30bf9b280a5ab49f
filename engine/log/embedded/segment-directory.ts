import type { ReadFile } from '../../ports/file-system.ts'
import { BlockTable } from './block-table.ts'
import { corrupt } from './corrupt.ts'
import { segmentFileName } from './file-names.ts'
import { bodyOffset, type FrameHead, frameHeadBytes, frameKind, type LogId, readEntries, readFrameHead } from './frame.ts'
import { checkDirectory, type Fault } from './frame-fault.ts'
import type { OpenFiles } from './open-files.ts'

export const partitionKey = (topic: number, partition: number): string => `${topic}/${partition}`

/** Where the blocks of each partition are in one segment. */
export type SegmentDirectory = ReadonlyMap<string, BlockTable>

/** Directories of segments, read when first asked for; the most recently used are kept. */
export class SegmentDirectories {
  private readonly files: OpenFiles
  private readonly logId: LogId
  private readonly kept = new Map<number, SegmentDirectory>()

  constructor(files: OpenFiles, logId: LogId) {
    this.files = files
    this.logId = logId
  }

  /** Errors: LOG_CORRUPT, FILE_UNREADABLE for a missing file. */
  async get(number: number): Promise<SegmentDirectory> {
    const found = this.kept.get(number) ?? (await this.files.use(segmentFileName(number), (file) => this.read(file, number)))
    // Map keeps the order of insertion: the first is the one not used for longest.
    this.kept.delete(number)
    this.kept.set(number, found)
    if (this.kept.size > 64) this.kept.delete(this.kept.keys().next().value!)
    return found
  }

  drop(number: number): void {
    this.kept.delete(number)
  }

  private async read(file: ReadFile, number: number): Promise<SegmentDirectory> {
    const { bytes, head } = await readSegmentHead(file, number, this.logId)
    const tables = new Map<string, BlockTable>()
    for (const entry of readEntries(bytes, 0, head)) {
      const key = partitionKey(entry.topic, entry.partition)
      let table = tables.get(key)
      if (table === undefined) tables.set(key, (table = new BlockTable()))
      table.add(entry)
    }
    return tables
  }
}

/** The head and directory of a segment, verified, and the bytes they stand in. Errors: LOG_CORRUPT. */
export async function readSegmentHead(file: ReadFile, number: number, logId: LogId): Promise<{ bytes: Buffer; head: FrameHead }> {
  const name = segmentFileName(number)
  const size = await file.size()
  const read = async (bytes: number) => {
    const into = Buffer.alloc(bytes)
    return into.subarray(0, await file.read(into, 0))
  }
  const start = await read(Math.min(size, frameHeadBytes))
  const found = readFrameHead(start, 0)
  if (found === undefined) throw corrupt(name, 0, 'no segment head that verifies')
  const bytes = await read(Math.min(size, bodyOffset(found)))
  const head: FrameHead | Fault = checkDirectory(bytes, 0, { logId, file: number, position: 0 }, size)
  if ('reason' in head) throw corrupt(name, head.position, head.reason)
  if (head.kind !== frameKind.segment && head.kind !== frameKind.index) throw corrupt(name, 0, 'the file is not a segment')
  return { bytes, head }
}
