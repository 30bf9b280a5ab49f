import { codeOf, StreamError } from '../../errors.ts'
import type { Logger } from '../../ports/world.ts'
import { type CompactionTarget, compactedContent } from './compaction.ts'
import { segmentFileName } from './file-names.ts'
import { contentOf, type PartitionBlocks, RewriteMemory, type RewriteParts, writeSegments } from './file-rewrite.ts'
import type { SegmentInfo } from './operation.ts'
import type { RemovedFiles } from './removed-files.ts'
import { partOfTime, planRewrite, type RewritePlan } from './rewrite-plan.ts'
import type { StayingBlocks } from './staying-blocks.ts'
import type { Writer } from './writer.ts'

export interface RewriterParts extends Omit<RewriteParts, 'rest' | 'memory'> {
  readonly writer: Writer
  readonly removed: RemovedFiles
  readonly logger: Logger
  readonly fatal: (error: unknown) => void
}

const retryAfterMs = 1000

/** Commits are said to have stopped after this long without one. */
const quietMs = 100

/** Less work needs no rest. */
const workMs = 1

/** So long it rests at most, then it looks again how much waits. */
const restMsMax = 200

/**
 * Makes segments of closed log files, in the background, and merges segments. Who commits goes first: nothing is rewritten while commits
 * come, up to a quarter of the bound of what may wait; above it, the more of its time the more waits.
 * Order of effects: new segments durable and read back, THEN the edit that lists them is committed, ONLY THEN are the old files removed.
 */
export class Rewriter {
  private readonly parts: RewriterParts & RewriteParts
  private readonly stop = new AbortController()
  /** One thing at a time: rewriting, merging, compacting. */
  private last: Promise<void> = Promise.resolve()
  private woken = false
  /** Calls that want all to be rewritten now. */
  private urgent = 0
  private restedAt = 0
  /** Aborted when the wait for quiet must look again. */
  private look = new AbortController()

  constructor(parts: RewriterParts) {
    this.parts = { ...parts, memory: new RewriteMemory(), rest: () => this.rest() }
  }

  /** Looks for something to do. */
  wake(): void {
    this.boundBacklog()
    this.lookAgain()
    if (this.woken || this.stop.signal.aborted) return
    this.woken = true
    this.inTurn(() => this.work(true)).catch((error) => this.failed(error))
  }

  /** Rewrites all there is. Errors: DISK_FULL, LOG_CORRUPT. */
  rewriteAll(): Promise<void> {
    return this.atOnce(() => this.work())
  }

  /** Removes older values of keys of one topic. All of its records must be in closed files. Errors: as for rewriteAll. */
  compact(target: CompactionTarget): Promise<void> {
    return this.atOnce(async () => {
      await this.work()
      for await (const { file, content } of compactedContent(this.parts, target)) await this.replace({ out: [file] }, content)
    })
  }

  /** Gives back memory that was not needed since the last such call. */
  letGo(): void {
    this.parts.memory.letGo()
  }

  async close(): Promise<void> {
    this.stop.abort()
    this.lookAgain()
    // Whoever waited for it has been told.
    await this.last.catch(() => {})
  }

  private async atOnce(work: () => Promise<void>): Promise<void> {
    this.urgent++
    this.lookAgain()
    try {
      await this.inTurn(work)
    } finally {
      this.urgent--
    }
  }

  private inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.last
      .catch(() => {})
      .then(work)
      .catch((error) => {
        if (error instanceof StreamError) throw error
        // A write or sync failed in a way that says nothing about what the disk holds.
        this.parts.fatal(error)
        throw new StreamError('LOG_UNAVAILABLE', { reason: 'a rewrite failed' }, { cause: error })
      })
    this.last = turn
    return turn
  }

  private async work(patient = false): Promise<void> {
    const { catalog, settings } = this.parts
    for (;;) {
      // What comes while it waits is looked at afterwards anyway.
      if (patient) await this.untilQuiet()
      this.woken = false
      const plan = this.stop.signal.aborted ? undefined : planRewrite(catalog, settings)
      if (plan === undefined) return
      this.restedAt = this.parts.clock.monotonic()
      await this.replace(plan, await contentOf(this.parts, plan.out, plan.stays))
      this.boundBacklog()
    }
  }

  /** Until no commits come, too much waits, or somebody asks for it. */
  private async untilQuiet(): Promise<void> {
    const { clock, writer, settings } = this.parts
    while (
      this.urgent === 0 &&
      !this.stop.signal.aborted &&
      writer.quietForMs < quietMs &&
      this.backlogBytes() <= settings.rewriteBacklogBytesMax / 4
    )
      await clock.sleep(quietMs, this.look.signal)
  }

  /** While commits come it works for a part of the time only. */
  private async rest(): Promise<void> {
    const { clock } = this.parts
    const workedMs = clock.monotonic() - this.restedAt
    if (workedMs < workMs) return clock.yield()
    await this.restFor(workedMs)
    this.restedAt = clock.monotonic()
  }

  private async restFor(workedMs: number): Promise<void> {
    const { clock, writer, settings } = this.parts
    const part = partOfTime(this.backlogBytes(), settings.rewriteBacklogBytesMax)
    const atOnce = this.urgent > 0 || this.stop.signal.aborted || writer.quietForMs >= quietMs || part === 1
    if (atOnce) return clock.yield()
    await clock.sleep(Math.min(restMsMax, workedMs / part - workedMs), this.look.signal)
  }

  private lookAgain(): void {
    this.look.abort()
    if (!this.stop.signal.aborted) this.look = new AbortController()
  }

  private backlogBytes(): number {
    let bytes = 0
    for (const { end } of this.parts.catalog.logs.values()) bytes += end
    return bytes
  }

  private async replace({ out, stays }: RewritePlan, content: readonly PartitionBlocks[]): Promise<void> {
    const { catalog, writer, removed, probe } = this.parts
    const segments = out.filter((number) => catalog.segments.has(number))
    const logs = [
      ...out.filter((number) => catalog.logs.has(number) && number !== stays?.log.number),
      ...segments.flatMap((number) => catalog.segments.get(number)!.blocksIn?.number ?? []),
    ]
    const made = await this.writeOrClean(content, stays)
    await writer.control(() => ({ operation: { op: 'files', out, in: made }, result: undefined }))
    probe.at('log.rewrite.after-edit')
    await removed.remove(logs, segments)
    probe.at('log.rewrite.after-remove')
  }

  /** What was written is of no use when the rest can't be. */
  private async writeOrClean(content: readonly PartitionBlocks[], stays: StayingBlocks | undefined): Promise<SegmentInfo[]> {
    const { catalog, fs } = this.parts
    const first = catalog.nextFile
    try {
      return await writeSegments(this.parts, content, stays)
    } catch (error) {
      if (error instanceof StreamError) {
        const names = await fs.list()
        for (let number = first; number < catalog.nextFile; number++) {
          const name = segmentFileName(number)
          if (!catalog.segments.has(number) && names.includes(name)) await fs.remove(name)
        }
      }
      throw error
    }
  }

  /** While too much log waits to be rewritten, commits wait too; they are refused when that can't go on. */
  private boundBacklog(error?: StreamError): void {
    const { settings, writer } = this.parts
    writer.holdCommits(this.backlogBytes() <= settings.rewriteBacklogBytesMax ? undefined : error ? { error } : {})
  }

  private failed(error: StreamError): void {
    const { logger, clock, fatal } = this.parts
    if (this.stop.signal.aborted) return
    logger.error({ error }, 'log files could not be rewritten')
    this.boundBacklog(error)
    // Damage does not go away by itself.
    if (codeOf(error) !== 'DISK_FULL') return
    clock.sleep(retryAfterMs, this.stop.signal).then(() => this.wake(), fatal)
  }
}
