import { codeOf, StreamError } from '../../errors.ts'
import type { FileSystem, ReadFile } from '../../ports/file-system.ts'
import type { Clock } from '../../ports/world.ts'
import type { Catalog } from './catalog.ts'
import { logFileName, segmentFileName } from './file-names.ts'
import type { LogId } from './frame.ts'
import type { Fault } from './frame-fault.ts'
import type { FileFault } from './verify-log.ts'
import { logFileFaults } from './verify-log-file.ts'
import { segmentFaults } from './verify-segment.ts'

export interface ScrubParts {
  readonly fs: FileSystem
  readonly clock: Clock
  readonly catalog: Catalog
  readonly logId: LogId
  /** The file that is appended to, and its durable end. */
  readonly current: () => { readonly number: number; readonly end: number }
}

export interface ScrubOptions {
  readonly bytesPerSecond: number
  readonly signal?: AbortSignal
  /** Told of bytes that were read, as it goes on. */
  readonly onRead?: (bytes: number) => void
}

type Pace = (bytes: number) => Promise<void>

/** Reading stops here when it was told to. */
class Stopped extends Error {}

/**
 * Reads every file of the log that is listed when its turn comes, at a bounded rate, and checks every block. Files may come and go
 * meanwhile: what is wrong with one that has left the list does not matter any more.
 */
export async function scrub(parts: ScrubParts, options: ScrubOptions): Promise<readonly FileFault[]> {
  const { catalog, current } = parts
  const pace = paceOf(parts.clock, options)
  const listed = (number: number) => catalog.segments.has(number) || catalog.logs.has(number) || current().number === number
  const faults: FileFault[] = []
  const seen = new Set<number>()
  try {
    // A file begun or written while the others were read has its turn too; the tail that grows meanwhile does not.
    for (let number = nextOf(parts, seen); number !== undefined; number = nextOf(parts, seen)) {
      seen.add(number)
      const found = await faultsOf(parts, number, pace)
      if (listed(number)) faults.push(...found)
    }
  } catch (error) {
    if (!(error instanceof Stopped)) throw error
  }
  return faults
}

function nextOf({ catalog, current }: ScrubParts, seen: ReadonlySet<number>): number | undefined {
  const files = [...catalog.segments.keys(), ...catalog.logs.keys(), current().number]
  return files.find((number) => !seen.has(number))
}

function paceOf(clock: Clock, { bytesPerSecond, signal, onRead }: ScrubOptions): Pace {
  const startedAt = clock.monotonic()
  let bytes = 0
  return async (more) => {
    bytes += more
    onRead?.(more)
    const ahead = (bytes / bytesPerSecond) * 1000 - (clock.monotonic() - startedAt)
    if (ahead > 10) await clock.sleep(ahead, signal)
    if (signal?.aborted) throw new Stopped()
  }
}

async function faultsOf(parts: ScrubParts, number: number, pace: Pace): Promise<FileFault[]> {
  const { fs, catalog, logId, current } = parts
  const segment = catalog.segments.get(number)
  const log = segment ? segment.blocksIn : (catalog.logs.get(number) ?? current())
  const inSegment = segment && (await fileFaults(fs, segmentFileName(number), (file) => segmentFaults(file, number, logId, { pace })))
  const inLog =
    log && (await fileFaults(fs, logFileName(log.number), (file) => logFileFaults(file, { logId, file: log.number }, log.end, pace)))
  return [...(inSegment ?? []), ...(inLog ?? [])]
}

async function fileFaults(fs: FileSystem, name: string, read: (file: ReadFile) => AsyncGenerator<Fault, void>): Promise<FileFault[]> {
  const faults: FileFault[] = []
  try {
    for (const { position, reason } of await all(fs, name, read)) faults.push({ file: name, position, what: reason })
  } catch (error) {
    if (!(error instanceof StreamError)) throw error
    if (codeOf(error) === 'FILE_UNREADABLE') return [{ file: name, position: 0, what: 'the file is missing' }]
    faults.push({ file: name, position: error.details.position as number, what: error.details.reason as string })
  }
  return faults
}

async function all(fs: FileSystem, name: string, read: (file: ReadFile) => AsyncGenerator<Fault, void>): Promise<Fault[]> {
  const file = await fs.open(name)
  const faults: Fault[] = []
  try {
    for await (const fault of read(file)) faults.push(fault)
  } finally {
    await file.close()
  }
  return faults
}
