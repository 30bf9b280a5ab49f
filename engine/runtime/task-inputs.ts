import { pinAll } from '../log/pin-all.ts'
import type { EpochMs } from '../model/record.ts'
import type { Range } from '../model/slice.ts'
import type { Log, LogReader, Pin } from '../ports/log.ts'
import type { Feed } from '../task/feeds.ts'
import type { InputPlan } from './plan.ts'
import type { RuntimeSettings } from './settings.ts'

interface Reading {
  readonly plan: InputPlan
  readonly feed: Feed
  readonly reader: LogReader
  readonly pin: Pin | undefined
  pending: Promise<void> | undefined
  /** How long the task has waited at this partition's end. */
  waitedMs: number
}

/**
 * Reads ahead of a task: one read under way an input, within the bound in bytes.
 * Invariant: a pending read's failure is kept and thrown by the next call.
 */
export class TaskInputs {
  readonly readings: readonly Reading[]
  private readonly log: Log
  private readonly settings: RuntimeSettings
  private failure: { error: unknown } | undefined = undefined

  constructor(log: Log, plans: readonly InputPlan[], feeds: readonly Feed[], settings: RuntimeSettings) {
    this.log = log
    this.settings = settings
    this.readings = plans.map((plan, i) => {
      const { position } = feeds[i]!.buffer
      return {
        plan,
        feed: feeds[i]!,
        reader: log.reader(plan.topic, plan.partition, position),
        // All there is: the older of two checkpoints needs more than this one, and only the next that is cut shows how much.
        pin: plan.kind === 'source' ? pinAll(log, plan.topic, plan.partition) : undefined,
        pending: undefined,
        waitedMs: 0,
      }
    })
  }

  /** Starts reads where there is room and something to read. */
  readAhead(): void {
    this.throwFailure()
    for (const reading of this.readings) {
      const { buffer } = reading.feed
      if (reading.pending !== undefined || buffer.bytes >= this.settings.readAheadBytesMax) continue
      if (this.drained(reading)) continue
      reading.pending = this.read(reading).finally(() => {
        reading.pending = undefined
      })
    }
  }

  /** Waits until every input either has something to take or is at its end. */
  async ready(): Promise<void> {
    for (;;) {
      this.readAhead()
      const missing = this.readings.filter(({ feed, pending }) => feed.buffer.empty && pending !== undefined)
      if (missing.length === 0) return
      await Promise.all(missing.map(({ pending }) => pending))
      this.throwFailure()
    }
  }

  /** Reads one input on until `to` is buffered: for re-runs, whose ranges are known. */
  async readTo(input: number, to: number): Promise<void> {
    const reading = this.readings[input]!
    while (reading.feed.buffer.readPosition < to) {
      if (reading.pending !== undefined) await reading.pending
      else if (!(await this.readOnce(reading))) return
      this.throwFailure()
    }
  }

  /** What these ranges take of sources: records, and the bytes the log needs for them. */
  sourceSize(ranges: readonly Range[]): { records: number; bytes: number } {
    const size = { records: 0, bytes: 0 }
    for (const { input, from, to } of ranges) {
      const { plan, feed } = this.readings[input]!
      if (plan.kind !== 'source') continue
      size.records += to - from
      size.bytes += feed.buffer.bytesBetween(from, to)
    }
    return size
  }

  /** Append time of the oldest record that these ranges take of sources; undefined when they take none. */
  oldestAppendTime(ranges: readonly Range[]): EpochMs | undefined {
    let oldest: EpochMs | undefined
    for (const { input, from } of ranges) {
      const { plan, feed } = this.readings[input]!
      const at = plan.kind === 'source' ? feed.buffer.appendTimeAt(from) : undefined
      if (at !== undefined && (oldest === undefined || at < oldest)) oldest = at
    }
    return oldest
  }

  /** Nothing is buffered and nothing is left to read. */
  atEnd(reading: Reading): boolean {
    return reading.feed.buffer.empty && reading.pending === undefined && this.drained(reading)
  }

  get allAtEnd(): boolean {
    return this.readings.every((reading) => this.atEnd(reading))
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.readings.map(({ pending }) => pending))
    for (const { feed, pin } of this.readings) {
      pin?.release()
      feed.buffer.releaseAll()
    }
    await Promise.all(this.readings.map(({ reader }) => reader.close()))
  }

  /** Everything committed so far was read. */
  drained({ plan, feed, reader }: Reading): boolean {
    return Math.max(reader.position, feed.buffer.readPosition) >= this.log.bounds(plan.topic, plan.partition).end
  }

  private async read(reading: Reading): Promise<void> {
    try {
      await this.readOnce(reading)
    } catch (error) {
      this.failure ??= { error }
    }
  }

  private async readOnce({ reader, feed }: Reading): Promise<boolean> {
    const chunk = await reader.read(this.settings.chunkBytes)
    if (chunk === null) return false
    feed.buffer.push(chunk)
    return true
  }

  private throwFailure(): void {
    if (this.failure !== undefined) throw this.failure.error
  }
}
