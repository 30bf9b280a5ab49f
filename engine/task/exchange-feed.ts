import type { EpochMs } from '../model/record.ts'
import type { DecodedRun } from './decoded-run.ts'
import type { ExchangeRecord, ExchangeWatermark } from './exchange-codec.ts'
import type { Feed } from './feeds.ts'
import type { InputBuffer } from './input-buffer.ts'
import type { TaskMoment } from './moment.ts'
import type { Present } from './present.ts'
import type { Watermarks } from './watermarks.ts'

/** What an upstream task has told of. */
interface Report {
  /** The highest that is a time. */
  watermark: EpochMs
  processing: EpochMs
  /** As of the last time before it had no more. */
  idle: boolean
  /** No more comes. */
  complete: boolean
}

interface Upstream {
  readonly task: number
  readonly channel: number
}

/** A task's partition of an exchange: records that keep their stamps, and the watermarks of the tasks that send them. */
export class ExchangeFeed implements Feed {
  readonly buffer: InputBuffer
  readonly channels: readonly number[]
  private readonly upstream: readonly Upstream[]
  private readonly reported: Report[]
  private readonly task: { moment: TaskMoment; present: Present; watermarks: Watermarks; emit: (value: unknown) => void }

  constructor(buffer: InputBuffer, upstream: readonly Upstream[], task: ExchangeFeed['task']) {
    this.buffer = buffer
    this.upstream = upstream
    this.channels = upstream.map(({ channel }) => channel)
    this.reported = upstream.map(() => ({ watermark: Number.NEGATIVE_INFINITY, processing: 0, idle: false, complete: false }))
    this.task = task
  }

  /** P: the lowest that any upstream task reported. */
  get processing(): EpochMs {
    let lowest = Number.POSITIVE_INFINITY
    for (const { processing } of this.reported) if (processing < lowest) lowest = processing
    return lowest
  }

  process(run: DecodedRun, i: number): void {
    const record = run.values[i] as ExchangeRecord | ExchangeWatermark
    if (record.kind === 'watermark') {
      this.report(
        this.upstream.findIndex(({ task }) => task === record.task),
        record,
      )
      return
    }
    const { moment, present, emit } = this.task
    moment.atTime(record.appendTime)
    moment.key = record.key
    moment.eventTime = run.times[i]!
    moment.stamp = record.stamp
    moment.topic = record.topic
    moment.partition = record.partition
    moment.offset = record.offset
    moment.rank = record.rank
    moment.retract = record.retract
    moment.headers = () => run.block.headers(run.first + i)
    present.time = record.appendTime
    emit(record.value)
  }

  /** As if all upstream tasks had come to these times, which they are told of too; lower ones change nothing. */
  raise(watermark: EpochMs, processing: EpochMs): void {
    this.reported.forEach(({ idle }, upstream) => this.report(upstream, { watermark, processing, idle }))
  }

  save(): unknown {
    return this.reported.map((report) => ({ ...report }))
  }

  load(saved: unknown): void {
    ;(saved as readonly Report[]).forEach((report, upstream) => {
      this.report(upstream, report)
      if (report.complete) this.report(upstream, { ...report, watermark: Number.POSITIVE_INFINITY })
    })
  }

  private report(upstream: number, { watermark, processing, idle }: Omit<Report, 'complete'>): void {
    const { watermarks } = this.task
    const { channel } = this.upstream[upstream]!
    const report = this.reported[upstream]!
    report.processing = Math.max(report.processing, processing)
    watermarks.raise(channel, watermark)
    if (watermark === Number.POSITIVE_INFINITY) {
      report.complete = true
      return
    }
    report.watermark = Math.max(report.watermark, watermark)
    report.idle = idle
    watermarks.setIdle(channel, idle)
  }
}
