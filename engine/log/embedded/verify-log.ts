import { StreamError } from '../../errors.ts'
import type { FileSystem } from '../../ports/file-system.ts'
import { blockFaults } from './block-faults.ts'
import { logFileName, newestLog, parseFileName, segmentFileName } from './file-names.ts'
import { type FrameHead, type LogId, readDetail } from './frame.ts'
import { checkDirectory, type Fault, frameBehind } from './frame-fault.ts'
import type { HeadState } from './head.ts'
import { endsNotReached, type KnownEnd } from './known-ends.ts'
import { onlyZeros, readLogHead, readWhole } from './log-scan.ts'
import { filesTakenOut, type Operation, type SegmentInfo } from './operation.ts'
import { catalogIn } from './recovery.ts'
import { traceOfUse } from './trace-of-use.ts'
import { segmentFaults } from './verify-segment.ts'

export interface FileFault {
  readonly file: string
  readonly position: number
  readonly what: string
}

export interface LogReport {
  /** Everything that is damaged, file by file. */
  readonly faults: readonly FileFault[]
  /** What an interrupted write left at the end of the newest file; the next start leaves it out. Not a fault. */
  readonly torn: FileFault | undefined
  /** Files that no list names; the next start removes them. */
  readonly unlisted: readonly string[]
  readonly files: number
  readonly frames: number
  readonly blocks: number
  readonly bytes: number
}

/**
 * Reads all files of a log that nobody has open and checks every frame and block. Changes nothing. Errors: LOG_FORMAT_UNKNOWN.
 */
export async function verifyLog(fs: FileSystem, beside: Partial<Beside> = {}): Promise<LogReport> {
  return new LogVerification(fs, { traces: [], knownEnds: [], ...beside }).run()
}

/** What is known from beside a log, see EmbeddedLogOptions. */
export interface Beside {
  readonly traces: readonly string[]
  readonly knownEnds: readonly KnownEnd[]
}

class LogVerification {
  private readonly fs: FileSystem
  private readonly beside: Beside
  private readonly faults: FileFault[] = []
  private torn: FileFault | undefined
  private frames = 0
  private blocks = 0
  private bytes = 0
  private checked = new Set<string>()

  constructor(fs: FileSystem, beside: Beside) {
    this.fs = fs
    this.beside = beside
  }

  async run(): Promise<LogReport> {
    const all = await this.fs.list()
    const names = all.filter((name) => parseFileName(name)).sort()
    const newest = newestLog(names)
    const trace = newest === undefined ? traceOfUse(all, this.beside.traces) : undefined
    if (newest !== undefined) await this.verifyFrom(names, newest)
    else if (trace !== undefined) this.fault(logFileName(1), 0, `no log file is left, and ${trace} shows that there was one`)
    if (newest !== undefined && this.faults.length === 0) await this.verifyEnds()
    const { faults, torn, frames, blocks, bytes } = this
    return { faults, torn, unlisted: names.filter((name) => !this.checked.has(name)), files: this.checked.size, frames, blocks, bytes }
  }

  /** Of a log that is whole as far as it goes: whether files at its end are gone. */
  private async verifyEnds(): Promise<void> {
    const { knownEnds } = this.beside
    if (knownEnds.length === 0) return
    const { producers } = await catalogIn(this.fs)
    for (const { details } of endsNotReached(knownEnds, (producer) => producers.get(producer)?.end))
      this.fault(details.file as string, 0, details.reason as string)
  }

  /** What the newest log file lists. When its head is damaged the older ones still tell what else there is, as far as they go. */
  private async verifyFrom(names: readonly string[], newest: number): Promise<void> {
    for (
      let number: number | undefined = newest;
      number !== undefined;
      number = newestLog(names.slice(0, names.indexOf(logFileName(number))))
    ) {
      const name = logFileName(number)
      const bytes = await readWhole(this.fs, name)
      const head = readLogHead(bytes, number)
      if (!('reason' in head)) return this.verifyListed(names, bytes, head)
      this.checked.add(name)
      this.fault(name, head.position, head.reason)
    }
  }

  private async verifyListed(names: readonly string[], bytes: Buffer, head: FrameHead): Promise<void> {
    const state = readDetail(bytes, 0, head) as HeadState
    const logs = new Map(state.logs)
    const segments = new Map(state.segments.map((segment) => [segment.number, segment]))
    const { logId } = head
    this.verifyFrames(logFileName(head.file), bytes, head.file, logId, true, (frame) => {
      for (const number of filesTakenOut(bytes, frame.position, frame)) {
        logs.delete(number)
        segments.delete(number)
      }
      for (const segment of segmentsTakenIn(bytes, frame)) segments.set(segment.number, segment)
    })
    for (const [number, end] of logs) await this.verifyLogFile(names, number, end, logId)
    for (const { number, blocksIn } of segments.values()) {
      await this.verifySegmentFile(names, number, logId)
      if (blocksIn) await this.verifyLogFile(names, blocksIn.number, blocksIn.end, logId)
    }
  }

  private async verifyLogFile(names: readonly string[], number: number, end: number, logId: LogId): Promise<void> {
    const name = logFileName(number)
    if (!names.includes(name)) return this.fault(name, 0, 'the file is missing')
    const bytes = await readWhole(this.fs, name, { limit: end })
    if (bytes.length < end) this.fault(name, bytes.length, `the file ends before ${end}`)
    this.verifyFrames(name, bytes, number, logId, false, () => {})
  }

  private verifyFrames(name: string, bytes: Buffer, file: number, logId: LogId, newest: boolean, visit: (frame: FrameHead) => void): void {
    this.checked.add(name)
    this.bytes += bytes.length
    let last = -1
    let gap = true
    for (let position = 0; position < bytes.length; ) {
      const found: FrameHead | Fault = checkDirectory(bytes, position, { logId, file, position }, bytes.length)
      const inOrder: boolean = 'reason' in found || gap || found.commitNumber === last + 1
      const frame: FrameHead | Fault = inOrder ? found : { position, reason: 'commit number out of order' }
      const faults = 'reason' in frame ? [frame] : blockFaults(bytes, frame.position, frame)
      const behind = faults.length > 0 ? frameBehind(bytes, position + 8, { logId, file }, last) : undefined
      const next = 'reason' in frame ? behind?.position : position + frame.length
      if (faults.length > 0 && newest && behind === undefined) {
        if (!onlyZeros(bytes, position)) this.torn = { file: name, position, what: faults[0]!.reason }
        return
      }
      for (const fault of faults) this.fault(name, fault.position, fault.reason)
      gap = 'reason' in frame
      if (!('reason' in frame)) {
        last = frame.commitNumber
        this.frames++
        this.blocks += frame.blocks
        visit(frame)
      }
      if (next === undefined) return
      position = next
    }
  }

  private async verifySegmentFile(names: readonly string[], number: number, logId: LogId): Promise<void> {
    const name = segmentFileName(number)
    if (!names.includes(name)) return this.fault(name, 0, 'the file is missing')
    this.checked.add(name)
    const file = await this.fs.open(name)
    try {
      const pace = async (bytes: number) => {
        this.blocks++
        this.bytes += bytes
      }
      for await (const { position, reason } of segmentFaults(file, number, logId, { pace })) this.fault(name, position, reason)
    } catch (error) {
      if (!(error instanceof StreamError) || error.code !== 'LOG_CORRUPT') throw error
      this.fault(name, error.details.position as number, error.details.reason as string)
    } finally {
      await file.close()
    }
  }

  private fault(file: string, position: number, what: string): void {
    this.faults.push({ file, position, what })
  }
}

function segmentsTakenIn(bytes: Buffer, frame: FrameHead): readonly SegmentInfo[] {
  if (frame.detailBytes === 0) return []
  const operation = readDetail(bytes, frame.position, frame) as Partial<Operation>
  return operation.op === 'files' ? operation.in! : []
}
