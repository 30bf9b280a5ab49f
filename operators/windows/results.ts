import type { EpochMs, Key } from '../../engine/model/record.ts'
import type { OperatorContext, TaskTime } from '../../engine/task/operator.ts'
import type { Accumulator, CompiledAggregate } from '../aggregates/compile.ts'
import type { WindowInfo, WindowOutput } from './spec.ts'

/** A row made and not yet sent on. */
export interface WindowResult<Row> {
  readonly row: Row
  readonly window: WindowInfo
}

/** Makes rows from accumulators and sends them on with the moment that is theirs. */
export class Results<T, Row> {
  private readonly context: OperatorContext
  private readonly aggregate: CompiledAggregate<T, Row>
  private readonly output = { row: undefined, window: undefined } as unknown as WindowOutput<Row>
  /** The appendTime of results by time. */
  private appendTime: EpochMs = 0
  private present: EpochMs = Number.NaN

  constructor(context: OperatorContext, aggregate: CompiledAggregate<T, Row>) {
    this.context = context
    this.aggregate = aggregate
  }

  /** Results by time follow. */
  begin(time: TaskTime): void {
    // When input is complete, the clock has no time any more: its last one, if it ever had one.
    this.appendTime = Number.isFinite(time.processing) ? time.processing : this.context.time.processing
    this.present = Number.NaN
    this.context.moment.retract = false
  }

  /** The result of a window that is due: caused by its end, so its stamp is just before it. */
  due(key: Key, start: EpochMs, end: EpochMs, acc: Accumulator): void {
    const { context, output } = this
    const { moment } = context
    if (end !== this.present) {
      this.present = end
      context.present(end)
    }
    moment.eventTime = end - 1
    moment.stamp = end - 1
    moment.key = key
    moment.appendTime = Number.isFinite(this.appendTime) ? this.appendTime : end - 1
    moment.retract = false
    const window: WindowInfo = { key, start, end }
    let row: Row
    try {
      row = this.aggregate.row(acc)
    } catch (error) {
      context.bad(window, error)
      return
    }
    output.row = row
    output.window = window
    context.emit(output)
  }

  /** What a window gives at present, for `replace`. Undefined without records, and when the job's function threw and that is passed over. */
  of(key: Key, start: EpochMs, end: EpochMs, acc: Accumulator | undefined): WindowResult<Row> | undefined {
    if (acc === undefined || acc.n === 0) return undefined
    const window: WindowInfo = { key, start, end }
    try {
      return { row: this.aggregate.row(acc), window }
    } catch (error) {
      this.context.bad(window, error)
      return undefined
    }
  }

  /** Takes back results that were emitted and gives those that stand for them now: caused by the record at hand, which is described as before afterwards. */
  replace(old: WindowResult<Row> | undefined, now: WindowResult<Row> | undefined): void {
    const { moment } = this.context
    const { eventTime, retract } = moment
    if (old !== undefined) this.send(old, true)
    if (now !== undefined) this.send(now, false)
    moment.eventTime = eventTime
    moment.retract = retract
  }

  private send({ row, window }: WindowResult<Row>, retract: boolean): void {
    const { context, output } = this
    context.moment.eventTime = window.end - 1
    context.moment.retract = retract
    output.row = row
    output.window = window
    context.emit(output)
  }
}
