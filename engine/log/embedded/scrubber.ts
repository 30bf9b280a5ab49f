import type { Logger, Metrics } from '../../ports/world.ts'
import { corrupt } from './corrupt.ts'
import { type ScrubParts, scrub } from './scrub.ts'
import type { EmbeddedLogSettings } from './settings.ts'
import type { FileFault } from './verify-log.ts'

export interface ScrubberParts extends ScrubParts {
  readonly logger: Logger
  readonly metrics: Metrics
  readonly settings: EmbeddedLogSettings
}

/** Short runs of a process read nothing; one that is started each day still reads all. */
const firstAfterMs = 60_000

/**
 * Reads the whole log again and again, slowly, and tells of damage before a reader or the next start meets it. It changes nothing:
 * readers of a bad block stop, all others go on.
 */
export class Scrubber {
  private readonly parts: ScrubberParts
  private readonly stop = new AbortController()
  private running: Promise<void> = Promise.resolve()

  constructor(parts: ScrubberParts) {
    this.parts = parts
  }

  start(): void {
    const { scrubBytesPerSecond, scrubEveryMs } = this.parts.settings
    if (scrubBytesPerSecond > 0 && scrubEveryMs > 0) this.running = this.run()
  }

  /** Resolves when nothing is read any more. */
  async close(): Promise<void> {
    this.stop.abort()
    await this.running
  }

  private async run(): Promise<void> {
    const { clock, settings, logger } = this.parts
    const { signal } = this.stop
    for (let waitMs = Math.min(firstAfterMs, settings.scrubEveryMs); ; waitMs = settings.scrubEveryMs) {
      await clock.sleep(waitMs, signal)
      if (signal.aborted) return
      try {
        await this.round()
      } catch (error) {
        // A read failed: the next round tries again.
        logger.error({ error }, 'the log could not be read through')
      }
    }
  }

  private async round(): Promise<void> {
    const { metrics, logger, settings } = this.parts
    const { signal } = this.stop
    const onRead = (bytes: number) => metrics.add('reprise_log_scrubbed_bytes_total', {}, bytes)
    const faults = await scrub(this.parts, { bytesPerSecond: settings.scrubBytesPerSecond, signal, onRead })
    for (const fault of faults) this.tell(fault)
    if (!signal.aborted) logger.info({ faults: faults.length }, 'log read through')
  }

  private tell({ file, position, what }: FileFault): void {
    const { metrics, logger } = this.parts
    metrics.add('reprise_log_corruptions_total', {}, 1)
    const error = corrupt(file, position, what)
    logger.error({ code: error.code, file, position, error }, 'damage found in the log')
  }
}
