import type { EpochMs } from '../model/record.ts'
import type { DecodedRun } from './decoded-run.ts'
import type { ExchangeRecord, ExchangeWatermark } from './exchange-codec.ts'
import type { Feed } from './feeds.ts'
import type { InputBuffer } from './input-buffer.ts'
import type { TaskMoment } from './moment.ts'
import type { Present } from './present.ts'
import type { Channel, Watermarks } from './watermarks.ts'

interface Upstream {
  readonly task: number
  readonly channel: number
}

/** What an upstream task has told of: event time by its channel, and processing time. */
type Report = Channel & { readonly processing: EpochMs }

/** A task's partition of an exchange: records that keep their stamps, and the watermarks of the tasks that send them. */
export class ExchangeFeed implements Feed {
  readonly buffer: InputBuffer
  readonly channels: readonly number[]
  private readonly upstream: readonly Upstream[]
  /** What upstream tasks have told of processing time. */
  private readonly processings: EpochMs[]
  private readonly task: { moment: TaskMoment; present: Present; watermarks: Watermarks; emit: (value: unknown) => void }

  constructor(buffer: InputBuffer, upstream: readonly Upstream[], task: ExchangeFeed['task']) {
    this.buffer = buffer
    this.upstream = upstream
    this.channels = upstream.map(({ channel }) => channel)
    this.processings = upstream.map(() => 0)
    this.task = task
  }

  /** P: the lowest that any upstream task reported. */
  get processing(): EpochMs {
    return Math.min(...this.processings)
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
    const { watermarks } = this.task
    this.upstream.forEach(({ channel }, i) => {
      watermarks.raise(channel, watermark)
      this.raiseProcessing(i, processing)
    })
  }

  save(): unknown {
    return this.upstream.map(({ channel }, i): Report => ({ ...this.task.watermarks.save(channel), processing: this.processings[i]! }))
  }

  load(saved: unknown): void {
    const reports = saved as readonly Report[]
    this.upstream.forEach(({ channel }, i) => {
      this.task.watermarks.load(channel, reports[i]!)
      this.raiseProcessing(i, reports[i]!.processing)
    })
  }

  private report(upstream: number, { watermark, processing, idle }: ExchangeWatermark): void {
    const { watermarks } = this.task
    const { channel } = this.upstream[upstream]!
    watermarks.raise(channel, watermark)
    // Who has no more is as idle as it was before.
    if (watermark !== Number.POSITIVE_INFINITY) watermarks.setIdle(channel, idle)
    this.raiseProcessing(upstream, processing)
  }

  private raiseProcessing(upstream: number, processing: EpochMs): void {
    this.processings[upstream] = Math.max(this.processings[upstream]!, processing)
  }
}
