import { AssertionError } from '../../assert.ts'
import { StreamError } from '../../errors.ts'
import type { FileSystem } from '../../ports/file-system.ts'
import { type Clock, type Logger, silentLogger } from '../../ports/world.ts'
import { Catalog } from './catalog.ts'
import { corrupt } from './corrupt.ts'
import { logFileName, newestLog, parseFileName, reserveFileName } from './file-names.ts'
import { type FrameHead, frameKind, type LogId, readDetail, readEntries } from './frame.ts'
import { FrameWriter, type PlacedBlock } from './frame-writer.ts'
import { catalogOf, encodeJson, type HeadState, headStateOf } from './head.ts'
import { endsNotReached, type KnownEnd } from './known-ends.ts'
import { LogFile } from './log-file.ts'
import { damageBehind, onlyZeros, readLogHead, readWhole, type ScannedLog, scanFrames } from './log-scan.ts'
import { filesOf, filesTakenOut } from './operation.ts'
import type { LogProbe } from './probe-points.ts'
import type { EmbeddedLogSettings } from './settings.ts'
import { logIsGone, traceOfUse } from './trace-of-use.ts'

export interface RecoveryParts {
  readonly fs: FileSystem
  readonly clock: Clock
  readonly logger: Logger
  readonly probe: LogProbe
  readonly settings: EmbeddedLogSettings
  /** Gives the id of a log that is created. */
  readonly newLogId: () => LogId
  /** See EmbeddedLogOptions. */
  readonly traces: readonly string[]
  readonly knownEnds: readonly KnownEnd[]
}

export interface Recovered {
  readonly catalog: Catalog
  readonly logId: LogId
  /** The new file that is appended to from now on. */
  readonly file: LogFile
}

/** What was found: the state, and the blocks that the new head has to carry. */
interface Found {
  readonly catalog: Catalog
  readonly logId: LogId
  readonly carried: readonly PlacedBlock[]
}

/**
 * Finds out what the log contains and begins a new file. Never truncates or appends to an old one.
 *
 * The last frame found may never have reached the disk, even if an fsync now says so (after a failed one the pages count as clean).
 * So it is carried over inside the new head, and the old file ends before it. Only when the new head and the directory are synced and
 * a quiet frame stands behind the head is anything shown, and only then is what the list does not name removed.
 *
 * Errors: LOG_CORRUPT, LOG_FORMAT_UNKNOWN, LOG_CLOCK_AHEAD, DISK_FULL.
 */
export async function recover(parts: RecoveryParts): Promise<Recovered> {
  const { fs, probe } = parts
  const names = await fs.list()
  const { catalog, logId, carried } = await find(parts, names)
  // BEFORE anything is begun or removed: files that are put back must find what they list.
  const [gone] = endsNotReached(parts.knownEnds, (producer) => catalog.producers.get(producer)?.end)
  if (gone !== undefined) throw gone
  checkClock(parts, catalog)
  const numbers = names.map((name) => parseFileName(name)?.number ?? 0)
  catalog.nextFile = Math.max(catalog.nextFile - 1, ...numbers) + 1
  probe.at('log.recover.before-create')
  const file = await makingRoom(fs, () => beginFile(parts, catalog, logId, carried))
  await sweep(parts, catalog, file.number)
  probe.at('log.recover.after-sweep')
  return { catalog, logId, file }
}

/** What the log contains, without a new file: changes nothing. Errors: LOG_CORRUPT, LOG_FORMAT_UNKNOWN. */
export async function catalogIn(fs: FileSystem): Promise<Catalog> {
  const newLogId = () => {
    throw new AssertionError('a log that is only looked at is not begun')
  }
  return (await find({ fs, logger: silentLogger, traces: [], newLogId }, await fs.list())).catalog
}

type FindParts = Pick<RecoveryParts, 'fs' | 'logger' | 'traces' | 'newLogId'>

async function find(parts: FindParts, names: readonly string[]): Promise<Found> {
  const newest = newestLog(names)
  if (newest === undefined) {
    const trace = traceOfUse(names, parts.traces)
    if (trace) throw logIsGone(trace)
    return { catalog: new Catalog(), logId: parts.newLogId(), carried: [] }
  }
  const bytes = await readWhole(parts.fs, logFileName(newest))
  const head = readLogHead(bytes, newest)
  if ('reason' in head) throw corrupt(logFileName(newest), head.position, head.reason)
  return foundIn(parts, names, bytes, scanFrames(bytes, head))
}

async function foundIn({ fs, logger }: FindParts, names: readonly string[], bytes: Buffer, scanned: ScannedLog): Promise<Found> {
  const { head, frames, fault } = scanned
  const name = logFileName(head.file)
  const last = frames.at(-1)
  if (fault) {
    const damage = damageBehind(bytes, fault, head.file, head.logId, (last ?? head).commitNumber)
    if (damage) throw corrupt(name, damage.position, damage.reason)
    if (!onlyZeros(bytes, fault.position))
      logger.info({ file: name, ...fault, bytes: bytes.length }, 'a torn frame at the end of the log was left out')
  }
  const catalog = catalogOf(readDetail(bytes, 0, head) as HeadState, head.commitNumber)
  // Files that a later frame took off the list may be gone already.
  for (const number of frames.flatMap((frame) => filesTakenOut(bytes, frame.position, frame))) catalog.logs.delete(number)
  await indexClosedLogs(fs, names, catalog, head.logId)
  const carried = last ?? head
  if (last) catalog.indexBlocks(head.file, readEntries(bytes, 0, head))
  for (const frame of frames) catalog.apply(bytes, frame.position, frame, frame !== last)
  if (frames.length > 1 || (last && head.blocks > 0)) catalog.logs.set(head.file, { number: head.file, end: carried.position })
  for (const segment of catalog.segments.values()) for (const name of filesOf(segment)) requireListed(names, name)
  return { catalog, logId: head.logId, carried: blocksOf(bytes, carried) }
}

/** A closed log file must verify up to its exact end; unlike a bad segment, a bad log file refuses to start. */
async function indexClosedLogs(fs: FileSystem, names: readonly string[], catalog: Catalog, logId: LogId): Promise<void> {
  for (const { number, end } of [...catalog.logs.values()].sort((a, b) => a.number - b.number)) {
    const name = logFileName(number)
    requireListed(names, name)
    const bytes = await readWhole(fs, name, { limit: end })
    if (bytes.length < end) throw corrupt(name, bytes.length, `the file ends before ${end}`)
    const head = readLogHead(bytes, number)
    if ('reason' in head) throw corrupt(name, head.position, head.reason)
    if (head.logId !== logId) throw corrupt(name, 0, 'the file belongs to another log')
    const { frames, fault } = scanFrames(bytes, head)
    if (fault) throw corrupt(name, fault.position, fault.reason)
    for (const frame of [head, ...frames]) catalog.indexBlocks(number, readEntries(bytes, frame.position, frame))
  }
}

function requireListed(names: readonly string[], name: string): void {
  if (!names.includes(name)) throw corrupt(name, 0, 'the file is missing')
}

function blocksOf(bytes: Buffer, frame: FrameHead): PlacedBlock[] {
  return readEntries(bytes, frame.position, frame).map((entry) => ({
    ...entry,
    block: bytes.subarray(entry.position, entry.position + entry.length),
  }))
}

/** Begins a log file: head and directory are durable BEFORE the first frame is written. */
async function beginFile(parts: RecoveryParts, catalog: Catalog, logId: LogId, carried: readonly PlacedBlock[]): Promise<LogFile> {
  const { fs, probe } = parts
  const number = catalog.nextFile++
  const frames = new FrameWriter()
  const file = await LogFile.create(fs, number)
  const { commitNumber, appendTime } = catalog
  const content = { kind: frameKind.head, commitNumber, appendTime, blocks: carried, detail: encodeJson(headStateOf(catalog)) }
  const head = frames.encode({ logId, file: number, position: 0 }, content)
  await file.write(head.bytes)
  await file.sync(head.bytes.length)
  probe.at('log.recover.after-head')
  await file.named(fs)
  probe.at('log.recover.after-directory')
  const carriedEntries = readEntries(head.bytes, 0, head.head)
  const quiet = frames.encode(
    { logId, file: number, position: file.end },
    { kind: frameKind.quiet, commitNumber: commitNumber + 1, appendTime },
  )
  await file.write(quiet.bytes)
  await file.sync(quiet.bytes.length)
  catalog.indexBlocks(number, carriedEntries)
  catalog.apply(quiet.bytes, 0, quiet.head)
  probe.at('log.recover.after-quiet')
  return file
}

/** Uses up the reserve when the disk is full. */
async function makingRoom<T>(fs: FileSystem, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const full = error instanceof StreamError && error.code === 'DISK_FULL'
    if (!full || !(await fs.list()).includes(reserveFileName)) throw error
    await fs.remove(reserveFileName)
    return work()
  }
}

/** What the list does not name does not exist. */
async function sweep({ fs, logger }: RecoveryParts, catalog: Catalog, current: number): Promise<void> {
  const listed = new Set([logFileName(current), ...catalog.fileNames()])
  for (const name of await fs.list()) {
    if (parseFileName(name) === undefined || listed.has(name)) continue
    logger.debug({ file: name }, 'file that is not listed removed')
    await fs.remove(name)
  }
}

function checkClock({ clock, settings }: RecoveryParts, { appendTime }: Catalog): void {
  const now = clock.now()
  if (settings.clockAheadAccepted || appendTime <= now + settings.clockAheadMsMax) return
  throw new StreamError(
    'LOG_CLOCK_AHEAD',
    { lastAppendTime: appendTime, now, aheadMs: appendTime - now },
    { fix: 'set the clock right; or accept that append times stand still until it has caught up' },
  )
}
