import type { EpochMs } from '../model/record.ts'

/** What holds a task's watermark back: a source partition, or one upstream task of an exchange. */
export interface Channel {
  /** The highest that is a time. */
  watermark: EpochMs
  idle: boolean
  /** No more comes. */
  complete: boolean
}

/**
 * The task's watermark: the minimum over its channels that are not idle; Infinity when no channel has more. One that has no more stays at its last
 * time until then: which of them are told of first is chance, and W must not depend on it.
 * Invariant: W never goes back, whatever a channel says.
 */
export class Watermarks {
  readonly channels: Channel[] = []
  current: EpochMs = Number.NEGATIVE_INFINITY

  /** @returns its number. */
  addChannel(): number {
    this.channels.push({ watermark: Number.NEGATIVE_INFINITY, idle: false, complete: false })
    return this.channels.length - 1
  }

  /** A channel's own watermark rises; lower values are passed over. Infinity: no more comes. */
  raise(channel: number, watermark: EpochMs): void {
    const found = this.channels[channel]!
    if (watermark === Number.POSITIVE_INFINITY) found.complete = true
    else if (watermark > found.watermark) found.watermark = watermark
  }

  setIdle(channel: number, idle: boolean): void {
    this.channels[channel]!.idle = idle
  }

  get idle(): boolean[] {
    return this.channels.map(({ idle }) => idle)
  }

  /** For a checkpoint. */
  save(channel: number): Channel {
    return { ...this.channels[channel]! }
  }

  /** @param saved up to semantics 3 it was complete where its watermark was Infinity. */
  load(channel: number, { watermark, idle, complete }: Channel): void {
    this.raise(channel, watermark)
    if (complete) this.raise(channel, Number.POSITIVE_INFINITY)
    this.setIdle(channel, idle)
  }

  /** Where W would be, if these channels were idle. All idle: it stands still. */
  next(idle: readonly boolean[] = this.idle): EpochMs {
    let lowest = Number.POSITIVE_INFINITY
    let anyActive = false
    let complete = true
    for (const [i, channel] of this.channels.entries()) {
      if (!channel.complete) complete = false
      if (idle[i]) continue
      anyActive = true
      if (channel.watermark < lowest) lowest = channel.watermark
    }
    if (complete && this.channels.length > 0) return Number.POSITIVE_INFINITY
    return anyActive && lowest > this.current ? lowest : this.current
  }

  get allIdle(): boolean {
    return this.channels.every((channel) => channel.idle)
  }
}
