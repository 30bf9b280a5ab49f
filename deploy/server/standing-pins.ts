import { pinAll } from '../../engine/log/pin-all.ts'
import type { Log, Pin } from '../../engine/ports/log.ts'

/**
 * Keeps the input of versions that nobody keeps it for: those without a thread, or with one that has not come so far. What they have not taken
 * must be there when they go on, however long that takes, so retention removes nothing more of it.
 */
export class StandingPins {
  private readonly log: Log
  private readonly pins = new Map<number, readonly Pin[]>()

  constructor(log: Log) {
    this.log = log
  }

  /** @param versions all whose input is to be kept, with their source topics; those not named any more are let go. */
  keep(versions: ReadonlyMap<number, readonly string[]>): void {
    for (const [version, topics] of versions)
      if (!this.pins.has(version))
        this.pins.set(
          version,
          topics.flatMap((topic) => this.pinned(topic)),
        )
    for (const [version, pins] of this.pins) {
      if (versions.has(version)) continue
      for (const pin of pins) pin.release()
      this.pins.delete(version)
    }
  }

  private pinned(topic: string): Pin[] {
    const { partitions = 0 } = this.log.topic(topic) ?? {}
    return Array.from({ length: partitions }, (_, partition) => pinAll(this.log, topic, partition))
  }
}
