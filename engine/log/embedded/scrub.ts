import { codeOf, StreamError } from '../../errors.ts'
import type { FileSystem } from '../../ports/file-system.ts'
import type { Clock } from '../../ports/world.ts'
import type { Catalog } from './catalog.ts'
import { segmentFileName } from './file-names.ts'
import type { LogId } from './frame.ts'
import type { FileFault } from './verify-log.ts'
import { segmentFaults } from './verify-segment.ts'

export interface ScrubOptions {
  readonly bytesPerSecond: number
  readonly signal?: AbortSignal
}

/** Reads every segment that is listed, at a bounded rate. Log files are read when they are rewritten and at each start. */
export async function scrub(
  parts: { fs: FileSystem; clock: Clock; catalog: Catalog; logId: LogId },
  { bytesPerSecond, signal }: ScrubOptions,
): Promise<readonly FileFault[]> {
  const { fs, clock, catalog, logId } = parts
  const faults: FileFault[] = []
  const startedAt = clock.monotonic()
  let bytes = 0
  const pace = async (more: number) => {
    bytes += more
    const ahead = (bytes / bytesPerSecond) * 1000 - (clock.monotonic() - startedAt)
    if (ahead > 10) await clock.sleep(ahead, signal)
  }
  for (const number of [...catalog.segments.keys()]) {
    if (signal?.aborted) break
    for (const fault of await faultsOf(fs, number, logId, pace, signal)) {
      // Rewritten meanwhile: whatever was wrong with it does not matter any more.
      if (catalog.segments.has(number)) faults.push(fault)
    }
  }
  return faults
}

async function faultsOf(
  fs: FileSystem,
  number: number,
  logId: LogId,
  pace: (bytes: number) => Promise<void>,
  signal?: AbortSignal,
): Promise<FileFault[]> {
  const name = segmentFileName(number)
  const faults: FileFault[] = []
  try {
    const file = await fs.open(name)
    try {
      for await (const { position, reason } of segmentFaults(file, number, logId, pace)) {
        faults.push({ file: name, position, what: reason })
        if (signal?.aborted) break
      }
    } finally {
      await file.close()
    }
  } catch (error) {
    if (!(error instanceof StreamError)) throw error
    if (codeOf(error) === 'FILE_UNREADABLE') return [{ file: name, position: 0, what: 'the file is missing' }]
    faults.push({ file: name, position: error.details.position as number, what: error.details.reason as string })
  }
  return faults
}
