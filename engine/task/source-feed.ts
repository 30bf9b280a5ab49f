import type { BadRecord } from '../codec/codec.ts'
import type { SourceNode } from '../model/topology.ts'
import type { DecodedRun } from './decoded-run.ts'
import type { Feed } from './feeds.ts'
import type { InputBuffer } from './input-buffer.ts'
import type { TaskMoment } from './moment.ts'
import type { Present } from './present.ts'
import type { Reports } from './reports.ts'
import type { Channel, Watermarks } from './watermarks.ts'

type Receiver = (value: unknown) => void

/** A partition of a source topic. Its watermark is the highest event time seen minus the topic's out-of-orderness. */
export class SourceFeed implements Feed {
  readonly buffer: InputBuffer
  readonly channels: readonly number[]
  /** Offsets to dead-letter unseen, decided by the job's operator for the slice at hand. */
  readonly skips = new Set<number>()
  private watermark = Number.NEGATIVE_INFINITY
  private readonly node: SourceNode
  // The topic's, near at hand: they are asked for with each record.
  private readonly topic: string
  private readonly outOfOrdernessMs: number
  private readonly partition: number
  private readonly ordinal: number
  private readonly moment: TaskMoment
  private readonly present: Present
  private readonly reports: Reports
  private readonly watermarks: Watermarks
  private readonly emit: Receiver

  constructor(
    source: { buffer: InputBuffer; node: SourceNode; partition: number; ordinal: number; channel: number },
    task: { moment: TaskMoment; present: Present; reports: Reports; watermarks: Watermarks; emit: Receiver },
  ) {
    this.buffer = source.buffer
    this.node = source.node
    this.topic = source.node.topic.name
    this.outOfOrdernessMs = source.node.topic.outOfOrdernessMs
    this.partition = source.partition
    this.ordinal = source.ordinal
    this.channels = [source.channel]
    this.moment = task.moment
    this.present = task.present
    this.reports = task.reports
    this.watermarks = task.watermarks
    this.emit = task.emit
  }

  process(run: DecodedRun, i: number): void {
    const { moment, reports } = this
    const time = run.times[i]!
    const appendTime = run.block.appendTimeOf(run.first + i)
    moment.eventTime = time
    moment.stamp = this.watermark
    moment.appendTime = appendTime
    moment.topic = this.topic
    moment.partition = this.partition
    moment.offset = run.firstOffset + i
    moment.atRecord(this.ordinal, run.block, run.first + i)
    this.present.time = appendTime
    reports.recordBegins()
    const fault = run.bad?.get(i)
    if (this.skips.size > 0 && this.skips.has(moment.offset)) reports.bad('deadLetter', skipped(fault), this.node.name, undefined)
    else if (fault !== undefined) reports.bad(this.node.onBad, fault, this.node.name, undefined)
    else {
      this.emit(run.values[i])
      this.raise(time - this.outOfOrdernessMs)
    }
    reports.recordEnds()
  }

  /** The partition's own watermark rises; lower values change nothing. */
  raise(watermark: number): void {
    if (watermark <= this.watermark) return
    this.watermark = watermark
    this.watermarks.raise(this.channels[0]!, watermark)
  }

  save(): unknown {
    return this.watermarks.save(this.channels[0]!)
  }

  load(saved: unknown): void {
    // Up to semantics 3 there was its watermark alone.
    const { watermark, idle = false, complete = false } = saved as Channel
    this.watermark = complete ? Number.POSITIVE_INFINITY : watermark
    this.watermarks.load(this.channels[0]!, { watermark, idle, complete })
  }
}

/** @param fault why it could not be read anyway. */
function skipped(fault: BadRecord | undefined): BadRecord {
  const message = 'skipped by decision of whoever runs the job'
  if (fault === undefined) return { code: 'RECORD_SKIPPED', path: '$', message }
  return { code: 'RECORD_SKIPPED', path: fault.path, message: `${message}; it is not readable: ${fault.code}: ${fault.message}` }
}
