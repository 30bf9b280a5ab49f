import { StreamError } from '../../errors.ts'
import type { EpochMs, Offset } from '../../model/record.ts'
import type { Clock, Logger } from '../../ports/world.ts'
import type { TopicState } from './catalog.ts'
import { dueStarts, type RetentionParts } from './retention.ts'
import type { Rewriter } from './rewriter.ts'
import type { EmbeddedLogSettings } from './settings.ts'
import type { Writer } from './writer.ts'

export interface HousekeepingParts extends RetentionParts {
  readonly writer: Writer
  readonly rewriter: Rewriter
  readonly clock: Clock
  readonly logger: Logger
  readonly settings: EmbeddedLogSettings
  readonly fatal: (error: unknown) => void
}

/** What is done from time to time: retention, compaction, and closing a log file that would else stay the current one for ever. */
export class Housekeeping {
  private readonly parts: HousekeepingParts
  private readonly stop = new AbortController()
  /** Up to where each topic was compacted, by partition. Forgotten on restart: then it is done once more. */
  private readonly compactedTo = new Map<number, readonly Offset[]>()

  constructor(parts: HousekeepingParts) {
    this.parts = parts
  }

  start(): void {
    this.run().catch(this.parts.fatal)
  }

  close(): void {
    this.stop.abort()
  }

  /** Applies retention as if it were `now`. */
  async retain(now: EpochMs): Promise<void> {
    const { writer, rewriter, pins } = this.parts
    const due = await dueStarts(this.parts, now)
    if (due.length === 0) return
    await writer.control((catalog) => {
      // Pins may have come meanwhile.
      const starts = due.filter(({ topic, partition, start }) => {
        const state = catalog.topics.get(topic)?.partitions[partition]
        return state !== undefined && start > state.start && start <= pins.lowest(state)
      })
      return { operation: starts.length > 0 ? { op: 'trim', starts } : undefined, result: undefined }
    })
    rewriter.wake()
  }

  /** Removes older values of keys, of all that is committed. Errors: DISK_FULL, LOG_CORRUPT. */
  async compact({ info, partitions }: TopicState): Promise<void> {
    const { writer, rewriter, pins } = this.parts
    await writer.rotate()
    const ends = partitions.map(({ end }) => end)
    await rewriter.compact({ topic: info.id, pinned: partitions.map((partition) => pins.lowest(partition)) })
    this.compactedTo.set(info.id, ends)
  }

  private async run(): Promise<void> {
    const { clock, settings, logger } = this.parts
    for (;;) {
      await clock.sleep(settings.housekeepingEveryMs, this.stop.signal)
      if (this.stop.signal.aborted) return
      this.parts.rewriter.letGo()
      try {
        await this.retain(this.parts.writer.clock())
        for (const topic of [...this.parts.catalog.topics.values()]) if (this.isCompactionDue(topic)) await this.compact(topic)
      } catch (error) {
        if (!(error instanceof StreamError)) throw error
        logger.warn({ error }, 'retention or compaction was put off')
      }
    }
  }

  /** When half of what is in segments was written since the last time. */
  private isCompactionDue({ info }: TopicState): boolean {
    if (!info.compacted) return false
    const { catalog, settings } = this.parts
    const compacted = this.compactedTo.get(info.id)
    let all = 0
    let since = 0
    for (const { ranges } of catalog.segments.values()) {
      for (const { topic, partition, from, bytes } of ranges) {
        if (topic !== info.id) continue
        all += bytes
        if (from >= (compacted?.[partition] ?? 0)) since += bytes
      }
    }
    return since >= settings.ownSegmentBytesMin && since >= all / 2
  }
}
