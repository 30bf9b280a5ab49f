import { keepAll } from '../../engine/log/pin-all.ts'
import type { Log } from '../../engine/ports/log.ts'

/**
 * Keeps the input of versions that nobody keeps it for: those without a thread, or with one that has not come so far. What they have not taken
 * must be there when they go on, however long that takes, so retention removes nothing more of it.
 */
export class StandingPins {
  private readonly log: Log
  /** By version: what lets its input go. */
  private readonly kept = new Map<number, () => void>()

  constructor(log: Log) {
    this.log = log
  }

  /** @param versions all whose input is to be kept, with their source topics; those not named any more are let go. */
  keep(versions: ReadonlyMap<number, readonly string[]>): void {
    for (const [version, topics] of versions)
      if (!this.kept.has(version)) this.kept.set(version, keepAll(this.log, this.partitionsOf(topics)))
    for (const [version, letGo] of this.kept) {
      if (versions.has(version)) continue
      letGo()
      this.kept.delete(version)
    }
  }

  private partitionsOf(topics: readonly string[]) {
    return topics.flatMap((topic) => {
      const { partitions = 0 } = this.log.topic(topic) ?? {}
      return Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
    })
  }
}
