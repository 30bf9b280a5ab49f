import { codeOf } from '../../errors.ts'
import type { FileSystem } from '../../ports/file-system.ts'
import type { Logger } from '../../ports/world.ts'
import type { Catalog } from './catalog.ts'
import { logFileName } from './file-names.ts'
import { frameKind, type LogId } from './frame.ts'
import { FrameWriter } from './frame-writer.ts'
import { encodeJson, headStateOf } from './head.ts'
import { LogFile } from './log-file.ts'
import type { LogProbe } from './probe-points.ts'

export interface RotationParts {
  readonly fs: FileSystem
  readonly catalog: Catalog
  readonly logId: LogId
  readonly logger: Logger
  readonly probe: LogProbe
}

/** Closes log files and begins the next ones. */
export class Rotation {
  private readonly parts: RotationParts
  private readonly frames = new FrameWriter()

  constructor(parts: RotationParts) {
    this.parts = parts
  }

  /**
   * Begins the file behind `current`; its head and the directory are durable when this resolves. `current` is in the list from then on.
   * On a full disk: `current` itself, which then grows beyond its size.
   */
  async next(current: LogFile): Promise<LogFile> {
    const { fs, catalog, logId, probe, logger } = this.parts
    const { commitNumber, appendTime } = catalog
    const number = catalog.nextFile++
    probe.at('log.rotate.before-create')
    const state = headStateOf(catalog)
    const detail = encodeJson({ ...state, logs: [...state.logs, [current.number, current.end]] })
    const { bytes } = this.frames.encode({ logId, file: number, position: 0 }, { kind: frameKind.head, commitNumber, appendTime, detail })
    let file: LogFile | undefined
    try {
      file = await LogFile.create(fs, number)
      await file.write(bytes)
      await file.sync(bytes.length)
      probe.at('log.rotate.after-head')
      await file.named(fs)
      probe.at('log.rotate.after-directory')
    } catch (error) {
      if (codeOf(error) !== 'DISK_FULL') throw error
      logger.warn({ file: logFileName(number) }, 'disk full: the log file grows beyond its size')
      if (file) await this.discard(file)
      return current
    }
    catalog.logs.set(current.number, { number: current.number, end: current.end })
    return file
  }

  /** The empty file stays until the next start, so that its number is not used again. */
  private async discard(file: LogFile): Promise<void> {
    file.end = 0
    await file.takeBack()
    await this.parts.fs.syncDirectory()
    await file.close()
  }
}
