import type { Clock } from '../engine/ports/world.ts'
import { TokenBucket } from './token-bucket.ts'

/** Null: no limit; 0: nothing at all. */
export interface RateLimits {
  readonly recordsPerSecond: number | null
  readonly bytesPerSecond: number | null
}

const burstSeconds = 0.2

/** In small slices, one soon after the other. */
const gentleBurstSeconds = 0.04

/** Records allowed under a limit in bytes while it is not known how large they are. */
const unknownSizeRecords = 16

/**
 * How fast a version may take records: by number, by bytes, or both. Slices are chosen by number, so how many a limit in bytes allows is told
 * by the size of those that were taken last; what was too much is made up for.
 */
export class Pace {
  private readonly clock: Pick<Clock, 'monotonic' | 'sleep'>
  private readonly records: TokenBucket
  private readonly bytes: TokenBucket
  private readonly gentle: TokenBucket
  private bytesPerRecord: number | undefined = undefined

  constructor(clock: Pick<Clock, 'monotonic' | 'sleep'>) {
    this.clock = clock
    this.records = new TokenBucket(clock, burstSeconds)
    this.bytes = new TokenBucket(clock, burstSeconds)
    this.gentle = new TokenBucket(clock, gentleBurstSeconds)
  }

  set limits({ recordsPerSecond, bytesPerSecond }: RateLimits) {
    this.records.rate = recordsPerSecond
    this.bytes.rate = bytesPerSecond
  }

  /** Records a second beside all other limits, so that nobody else is held up; null: none. */
  set gentleTo(perSecond: number | null) {
    this.gentle.rate = perSecond
  }

  /** Records that may be taken now; 0 until it is worth a slice. Undefined: no limit. */
  get allowance(): number | undefined {
    const allowed = [this.records.allowance, this.gentle.allowance, this.recordsByBytes()].filter((one) => one !== undefined)
    return allowed.length === 0 ? undefined : Math.floor(Math.min(...allowed))
  }

  took(records: number, bytes: number): void {
    this.records.take(records)
    this.bytes.take(bytes)
    this.gentle.take(records)
    if (records > 0) this.bytesPerRecord = bytes / records
  }

  /** Calls `wake` when more may be taken, if that is a question of time. @returns what takes that back. */
  onRefilled(wake: () => void): () => void {
    const waits = [this.records.waitMs, this.bytes.waitMs, this.gentle.waitMs].filter((one) => one !== undefined)
    const longest = Math.max(0, ...waits)
    if (longest === 0) return () => {}
    const over = new AbortController()
    void this.clock.sleep(longest, over.signal).then(() => {
      if (!over.signal.aborted) wake()
    })
    return () => over.abort()
  }

  /** One is allowed however large it is, or nothing would go on. */
  private recordsByBytes(): number | undefined {
    const { allowance } = this.bytes
    if (allowance === undefined || allowance === 0) return allowance
    return this.bytesPerRecord === undefined ? unknownSizeRecords : Math.max(1, allowance / this.bytesPerRecord)
  }
}
