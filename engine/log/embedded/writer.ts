import { codeOf, StreamError } from '../../errors.ts'
import type { EpochMs } from '../../model/record.ts'
import type { Commit, Committed } from '../../ports/log.ts'
import type { Clock, Logger, Metrics } from '../../ports/world.ts'
import type { ChangeCounter } from '../change-counter.ts'
import { checkCommitSize } from '../limits.ts'
import type { AppendClock } from './append-clock.ts'
import type { Catalog, ProducerHold } from './catalog.ts'
import type { DiskReserve } from './disk-reserve.ts'
import { type FrameKind, frameKind, type LogId, type NamedEnd } from './frame.ts'
import { FrameWriter, type PlacedBlock } from './frame-writer.ts'
import { type CommitRequest, Group } from './group.ts'
import { encodeJson } from './head.ts'
import type { LogFile } from './log-file.ts'
import type { Operation } from './operation.ts'
import type { LogProbe } from './probe-points.ts'
import type { Published } from './published.ts'
import { type ControlRequest, type QuietRequest, RequestQueue, type RotateRequest, type WriteRequest } from './requests.ts'
import type { Rotation } from './rotation.ts'
import type { EmbeddedLogSettings } from './settings.ts'

export interface WriterParts {
  readonly catalog: Catalog
  readonly logId: LogId
  readonly file: LogFile
  readonly rotation: Rotation
  readonly reserve: DiskReserve
  readonly appendClock: AppendClock
  readonly published: Published
  readonly changes: ChangeCounter
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
  readonly probe: LogProbe
  readonly settings: EmbeddedLogSettings
  /** Ends the process: the state of the file is not known any more. */
  readonly fatal: (error: unknown) => void
  /** Called when a log file was closed. */
  readonly rotated: () => void
}

/**
 * Owns: the file that is appended to. One group is written and synced at a time.
 * Talks to: Group (what goes into a frame), LogFile, Catalog (what readers of this thread see), Published (what the others see).
 *
 * Invariants:
 * I1 a group is formed after the sync of the one before it returned, against a catalog that holds all that is durable;
 * I2 the catalog and the published end change only after the sync, and before anyone is told;
 * I3 after an error that leaves the file unknown nothing is ever written again.
 */
export class Writer {
  private readonly parts: WriterParts
  private readonly queue: RequestQueue
  private readonly frames = new FrameWriter()
  private file: LogFile
  private rotateAt: number
  private inFlight: EpochMs | undefined
  private running = false
  private loop: Promise<void> = Promise.resolve()
  private lastKind: FrameKind = frameKind.quiet
  private lastFrameAt = 0
  private lastCommitAt = Number.NEGATIVE_INFINITY
  private failure: StreamError | undefined
  /** While set, commits wait: too much log is not yet rewritten. Its error is theirs if that can't go on. */
  private backlog: { readonly error?: StreamError } | undefined
  private readonly quietStop = new AbortController()
  private quietArmed = false

  constructor(parts: WriterParts) {
    this.parts = parts
    this.file = parts.file
    this.rotateAt = parts.settings.logFileBytes
    this.queue = new RequestQueue(parts.settings.pendingBytesMax)
  }

  get currentFile(): number {
    return this.file.number
  }

  /** The append-time clock: no record that is not visible yet is below it. */
  clock(): EpochMs {
    return this.inFlight ?? this.parts.appendClock.now()
  }

  commit(producer: ProducerHold, commit: Commit): Promise<Committed> {
    return new Promise((resolve, reject) => {
      checkCommitSize(commit.appends)
      const bytes = commit.appends.reduce((sum, { block }) => sum + block.length, 0)
      if (!this.queue.hasRoomFor(bytes)) throw new StreamError('LOG_UNAVAILABLE', { reason: 'too many commits are waiting' })
      this.submit({ kind: 'commit', producer, commit, bytes, resolve, reject })
    })
  }

  /** @param prepare gives the operation and what the promise resolves to, or throws to refuse. */
  control<T>(prepare: (catalog: Catalog) => { operation: Operation | undefined; result: T }): Promise<T> {
    return new Promise((resolve, reject) => {
      const request: ControlRequest = {
        kind: 'control',
        prepare: (catalog) => {
          const { operation, result } = prepare(catalog)
          return { operation, settle: () => resolve(result) }
        },
        reject,
      }
      this.submit(request)
    })
  }

  /** How long nothing was committed, ms. */
  get quietForMs(): number {
    return this.inFlight === undefined ? this.parts.clock.monotonic() - this.lastCommitAt : 0
  }

  /** Durable end of the current file. */
  get currentEnd(): number {
    return this.file.end
  }

  /** Closes the current log file and begins a new one. Errors: DISK_FULL. */
  rotate(): Promise<void> {
    return this.rotated(() => {})
  }

  /** The same; @returns what `look` sees when nothing is yet written to the new file. What it throws is for the caller alone. */
  rotated<T>(look: () => T): Promise<T> {
    const seen = () => new Promise<T>((resolve) => resolve(look()))
    return new Promise((resolve, reject) => this.submit({ kind: 'rotate', resolve: () => resolve(seen()), reject }))
  }

  /** Makes commits wait until called with undefined. */
  holdCommits(backlog: { readonly error?: StreamError } | undefined): void {
    this.backlog = backlog
    this.start()
  }

  /** Writes what is waiting, and a quiet frame. Nothing may be submitted any more. */
  async close(): Promise<void> {
    this.quietStop.abort()
    if (this.backlog) this.backlog = { error: new StreamError('LOG_UNAVAILABLE', { reason: 'closed' }) }
    if (this.failure === undefined) await this.quiet()
    this.parts.probe.at('log.close.after-quiet')
    const sound = this.failure === undefined
    this.fail(new StreamError('LOG_UNAVAILABLE', { reason: 'closed' }))
    // Something may have come behind the quiet frame and be under way.
    await this.loop
    if (sound) await this.file.giveRoomBack()
    await this.file.close()
  }

  private submit(request: WriteRequest): void {
    if (this.failure) request.reject(this.failure)
    else {
      this.queue.push(request)
      this.start()
    }
  }

  private start(): void {
    if (this.running || this.queue.length === 0) return
    this.running = true
    this.loop = this.run().catch((error) => void this.fatal(error))
  }

  /** The only loop. */
  private async run(): Promise<void> {
    // Commits sent in the same turn share a group.
    await undefined
    for (;;) {
      const request = this.failure ? undefined : this.next()
      if (request === undefined) break
      try {
        if (this.file.end >= this.rotateAt) await this.beginFile()
        await this.handle(request)
      } catch (error) {
        request.reject(this.fatal(error))
      }
    }
    this.running = false
    this.armQuiet()
  }

  private next(): WriteRequest | undefined {
    const { backlog } = this
    if (backlog === undefined) return this.queue.take(true)
    if (backlog.error)
      for (let refused = this.queue.takeCommit(Infinity); refused; refused = this.queue.takeCommit(Infinity)) refused.reject(backlog.error)
    return this.queue.take(false)
  }

  private async handle(request: WriteRequest): Promise<void> {
    switch (request.kind) {
      case 'commit':
        return this.handleCommits(request)
      case 'control':
        return this.handleControl(request)
      case 'rotate':
        return this.handleRotate(request)
      case 'quiet':
        return this.handleQuiet(request)
    }
  }

  private async handleCommits(first: CommitRequest): Promise<void> {
    const { reserve, appendClock, catalog, settings } = this.parts
    const full = !reserve.held && !(await reserve.restore())
    const appendTime = (this.inFlight = appendClock.now())
    const group = new Group(catalog, appendTime)
    for (let request: CommitRequest | undefined = first; request; request = this.queue.takeCommit(settings.commitBytesMax - group.bytes)) {
      try {
        if (full && !this.isInternal(request)) throw new StreamError('DISK_FULL', { file: this.file.name })
        group.add(request)
      } catch (error) {
        request.reject(error)
      }
    }
    if (group.accepted.length > 0) {
      try {
        await this.append(frameKind.commit, appendTime, { blocks: group.blocks, ends: group.ends() })
        for (const { request, committed } of group.accepted) request.resolve(committed)
      } catch (error) {
        await this.refuse(group, error)
      }
    }
    this.inFlight = undefined
    this.lastCommitAt = this.parts.clock.monotonic()
  }

  /** On a full disk what the engine itself must say is tried again with the reserve. */
  private async refuse({ accepted }: Group, error: unknown): Promise<void> {
    const requests = accepted.map(({ request }) => request)
    const again = codeOf(error) === 'DISK_FULL' ? requests.filter((request) => this.isInternal(request)) : []
    for (const request of requests) if (!again.includes(request)) request.reject(error)
    if (again.length === 0) return
    if (await this.parts.reserve.release()) this.queue.unshift(again)
    else for (const request of again) request.reject(error)
  }

  private isInternal({ commit }: CommitRequest): boolean {
    const { topicsByName } = this.parts.catalog
    return commit.appends.every(({ topic }) => topicsByName.get(topic)?.info.kind === 'internal')
  }

  private async handleControl(request: ControlRequest): Promise<void> {
    const { catalog, appendClock, reserve } = this.parts
    try {
      const { operation, settle } = request.prepare(catalog)
      if (operation) {
        const write = () => this.append(frameKind.edit, appendClock.now(), { detail: encodeJson(operation) })
        await write().catch(async (error) => {
          if (codeOf(error) !== 'DISK_FULL' || !(await reserve.release())) throw error
          await write()
        })
      }
      settle()
    } catch (error) {
      request.reject(error)
    }
  }

  private async handleRotate(request: RotateRequest): Promise<void> {
    if (await this.beginFile()) request.resolve()
    else request.reject(new StreamError('DISK_FULL', { file: this.file.name }))
  }

  private async handleQuiet(request: QuietRequest): Promise<void> {
    try {
      if (this.lastKind !== frameKind.quiet) await this.append(frameKind.quiet, this.parts.appendClock.now(), {})
      request.resolve()
    } catch (error) {
      // Not again before its time: a full disk stays full for a while.
      this.lastFrameAt = this.parts.clock.monotonic()
      request.reject(error)
    }
  }

  /** Writes and syncs one frame, then shows it. Errors: DISK_FULL (it did not take place), COMMIT_OUTCOME_UNKNOWN (and the process ends). */
  private async append(
    kind: FrameKind,
    appendTime: EpochMs,
    content: { blocks?: readonly PlacedBlock[]; ends?: readonly NamedEnd[]; detail?: Buffer },
  ): Promise<void> {
    const { catalog, logId, metrics, probe, published, changes, clock, settings } = this.parts
    const { file } = this
    const place = { logId, file: file.number, position: file.end }
    const { bytes, head } = this.frames.encode(place, { kind, appendTime, commitNumber: catalog.commitNumber + 1, ...content })
    probe.at('log.commit.before-write')
    const from = clock.monotonic()
    try {
      await file.write(bytes)
      probe.at('log.commit.after-write')
      await file.sync(bytes.length)
    } catch (error) {
      if (codeOf(error) !== 'DISK_FULL') throw this.fatal(error)
      await this.takeBack()
      throw error
    }
    probe.at('log.commit.after-sync')
    metrics.observe('reprise_log_fsync_duration_seconds', {}, (clock.monotonic() - from) / 1000)
    if (settings.fillAheadBytes > 0) file.makeRoom(bytes.length, settings.fillAheadBytes, settings.logFileBytes)
    catalog.apply(bytes, 0, head)
    this.lastKind = kind
    this.lastFrameAt = clock.monotonic()
    published.setEnd(file.number, file.end)
    published.setClock(appendTime)
    if (head.blocks > 0 || kind === frameKind.edit) changes.bump()
    probe.at('log.commit.after-publish')
  }

  /** What the disk had no room for must not come back: durably away BEFORE anyone is told that it did not take place. */
  private async takeBack(): Promise<void> {
    const { probe } = this.parts
    probe.at('log.full.before-truncate')
    try {
      await this.file.takeBack()
    } catch (error) {
      throw this.fatal(error)
    }
    probe.at('log.full.after-truncate')
  }

  /** @returns false when there was no room for another file. */
  private async beginFile(): Promise<boolean> {
    const { rotation, published, settings, probe, rotated } = this.parts
    const old = this.file
    this.file = await rotation.next(old)
    if (this.file === old) {
      this.rotateAt = old.end + settings.logFileBytes / 4
      return false
    }
    this.rotateAt = settings.logFileBytes
    published.setEnd(this.file.number, this.file.end)
    await old.giveRoomBack()
    await old.close()
    probe.at('log.rotate.after-switch')
    rotated()
    return true
  }

  /** I3. @returns what those are told whose commit was under way. */
  private fatal(error: unknown): StreamError {
    if (this.failure === undefined) {
      this.parts.logger.error({ error }, 'the log can not go on')
      this.fail(new StreamError('LOG_UNAVAILABLE', { reason: 'an earlier write failed' }, { cause: error }))
      this.parts.fatal(error)
    }
    return new StreamError('COMMIT_OUTCOME_UNKNOWN', { file: this.file.name }, { cause: error })
  }

  private fail(failure: StreamError): void {
    this.failure ??= failure
    for (const request of this.queue.takeAll()) request.reject(this.failure)
  }

  private quiet(): Promise<void> {
    return new Promise((resolve, reject) => this.submit({ kind: 'quiet', resolve, reject }))
  }

  private armQuiet(): void {
    if (this.quietArmed || this.failure || this.lastKind === frameKind.quiet) return
    this.quietArmed = true
    this.waitQuiet().catch((error) => this.parts.logger.warn({ error }, 'no quiet frame could be written'))
  }

  private async waitQuiet(): Promise<void> {
    const { clock, settings } = this.parts
    for (;;) {
      const left = this.lastFrameAt + settings.quietAfterMs - clock.monotonic()
      if (left <= 0 || this.quietStop.signal.aborted) break
      await clock.sleep(left, this.quietStop.signal)
    }
    this.quietArmed = false
    if (!this.quietStop.signal.aborted && !this.running && !this.failure) await this.quiet()
  }
}
