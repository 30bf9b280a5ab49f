import type { EpochMs } from '../model/record.ts'

/** What holds a task's watermark back: a source partition, or one upstream task of an exchange. */
interface Channel {
  watermark: EpochMs
  idle: boolean
}

/**
 * The task's watermark: the minimum over its channels that are not idle. Invariant: W never goes back, whatever a channel says.
 */
export class Watermarks {
  readonly channels: Channel[] = []
  current: EpochMs = Number.NEGATIVE_INFINITY

  /** @returns its number. */
  addChannel(): number {
    this.channels.push({ watermark: Number.NEGATIVE_INFINITY, idle: false })
    return this.channels.length - 1
  }

  /** A channel's own watermark rises; lower values are passed over. */
  raise(channel: number, watermark: EpochMs): void {
    const found = this.channels[channel]!
    if (watermark > found.watermark) found.watermark = watermark
  }

  setIdle(channel: number, idle: boolean): void {
    this.channels[channel]!.idle = idle
  }

  get idle(): boolean[] {
    return this.channels.map(({ idle }) => idle)
  }

  /** Where W would be, if these channels were idle. All idle: it stands still. */
  next(idle: readonly boolean[] = this.idle): EpochMs {
    let lowest = Number.POSITIVE_INFINITY
    let anyActive = false
    for (const [i, channel] of this.channels.entries()) {
      if (idle[i]) continue
      anyActive = true
      if (channel.watermark < lowest) lowest = channel.watermark
    }
    return anyActive && lowest > this.current ? lowest : this.current
  }

  get allIdle(): boolean {
    return this.channels.every((channel) => channel.idle)
  }
}
