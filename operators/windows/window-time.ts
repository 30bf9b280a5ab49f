import type { EpochMs } from '../../engine/model/record.ts'
import { type LateReason, type Moment, overtakenReason, type TaskTime } from '../../engine/task/operator.ts'
import type { WindowSpec } from './spec.ts'

/**
 * The time a window operator goes by. Event time: records are judged by their stamps, results are due by the watermark.
 * Processing time: the append time of records and its clock; nothing has a stamp then.
 * Invariant: `fired` is the time up to which everything due was emitted; it never goes back.
 */
export class WindowTime {
  fired: EpochMs = Number.NEGATIVE_INFINITY
  readonly processing: boolean
  readonly allowedLatenessMs: number

  constructor(spec: WindowSpec) {
    this.processing = spec.time === 'processing'
    this.allowedLatenessMs = spec.allowedLatenessMs
  }

  now(time: TaskTime): EpochMs {
    return this.processing ? time.processing : time.watermark
  }

  of(moment: Moment): EpochMs {
    return this.processing ? moment.appendTime : moment.eventTime
  }

  stamp(moment: Moment): EpochMs {
    return this.processing ? Number.NEGATIVE_INFINITY : moment.stamp
  }

  /** Whether the window that ends at `end` takes no more records; without allowed lateness it is gone when it has fired. */
  closed(end: EpochMs): boolean {
    return this.allowedLatenessMs === 0 ? end <= this.fired : end + this.allowedLatenessMs < this.fired
  }

  /** By processing time: what comes with a time that the clock has passed is diverted. */
  belowClock(at: EpochMs): boolean {
    return this.processing && at < this.fired
  }

  /** Why a record that its stamp allows finds its window closed. */
  closedReason(moment: Moment): LateReason {
    return this.processing ? 'clock' : overtakenReason(moment)
  }
}
