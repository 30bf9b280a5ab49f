import type { EpochMs } from '../../engine/model/record.ts'
import type { Operator, OperatorContext, TaskTime } from '../../engine/task/operator.ts'
import type { Accumulator, CompiledAggregate } from '../aggregates/compile.ts'
import { compareValues } from '../value-order.ts'
import { compareWindows, type EarlyState, type OpenWindows } from './early-state.ts'
import { Results, type WindowResult } from './results.ts'
import type { WindowInfo, WindowOutput, WindowSpec } from './spec.ts'
import { WindowTime } from './window-time.ts'

interface Cursor {
  /** What the windows themselves save. */
  readonly windows: unknown
  readonly given: EpochMs
  readonly after?: WindowInfo
}

/**
 * Windows of any kind that also give early results: whenever time has passed a multiple of `earlyMs`, the open windows that have changed give what they
 * hold then. Wraps the windows themselves, which know nothing of it.
 * Moment of an early result: eventTime is end - 1, as of the final one, so that the same window of a second aggregation takes both; the stamp is just
 * before the time that caused it, which lies before the end: nothing that follows by event time is past it, or finds it late. What is taken back has
 * a stamp before its own end for the same reason, although a session may have got a later one since.
 * Owns: the EarlyState. Invariants, after `advance` has returned true: I1 results that stand are of windows that have not ended: so they are taken back
 * before anything that follows can have settled on them; I2 a multiple of `earlyMs` up to `given` leaves nothing to give; I3 whatever `retract` takes
 * back is what was emitted last for that window.
 */
export class EarlyWindows<T, Row> implements Operator {
  private readonly context: OperatorContext
  private readonly aggregate: CompiledAggregate<T, Row>
  private readonly results: Results<T, Row>
  private readonly time: WindowTime
  private readonly earlyMs: number
  private readonly windows: OpenWindows
  private readonly state: EarlyState
  /** The multiple of `earlyMs` for which everything was given; -Infinity before there was time. */
  private given: EpochMs = Number.NEGATIVE_INFINITY
  /** What is being given: made again after a restart, from `after` on. */
  private changed: Iterator<WindowInfo, undefined> | undefined = undefined
  private head: WindowInfo | undefined = undefined
  private after: WindowInfo | undefined = undefined
  private appendTime: EpochMs = Number.NaN

  /** @param makeWindows, makeState by the kind of the window; the windows' own results pass through here. */
  constructor(
    spec: WindowSpec,
    aggregate: CompiledAggregate<T, Row>,
    context: OperatorContext,
    makeWindows: (context: OperatorContext) => { readonly windows: OpenWindows; readonly state: EarlyState },
  ) {
    this.context = context
    this.aggregate = aggregate
    this.results = new Results(context, aggregate)
    this.time = new WindowTime(spec)
    this.earlyMs = spec.earlyMs
    const { windows, state } = makeWindows({
      ...context,
      get time() {
        return context.time
      },
      emit: (output) => this.settle(output as WindowOutput<Row>),
    })
    this.windows = windows
    this.state = state
  }

  process(value: unknown, input: number): void {
    const { moment } = this.context
    this.state.mark(this.time.of(moment), moment.key!)
    this.windows.process(value, input)
  }

  advance(time: TaskTime): boolean {
    if (!this.windows.advance(time)) return false
    const now = this.time.now(time)
    this.appendTime = Number.isFinite(time.processing) ? time.processing : this.context.time.processing
    this.context.moment.retract = false
    if (!this.renewOverdue(now)) return false
    this.state.forget(now)
    const tick = Math.floor(now / this.earlyMs) * this.earlyMs
    // The first time there is has passed nothing yet.
    if (tick > this.given && this.given !== Number.NEGATIVE_INFINITY) {
      if (!this.giveChanged(now, tick)) return false
      this.state.clear()
    }
    this.given = Math.max(this.given, tick)
    return true
  }

  save(): Cursor {
    const { windows, given, after } = this
    return after === undefined ? { windows: windows.save(), given } : { windows: windows.save(), given, after }
  }

  load(saved: unknown): void {
    const { windows, given, after } = saved as Cursor
    if (windows !== undefined) this.windows.load(windows)
    this.given = given
    this.after = after
  }

  open(): void {
    this.windows.open?.()
    this.state.open()
  }

  nextProcessingDue(): EpochMs {
    if (!this.time.processing) return Number.POSITIVE_INFINITY
    const given = this.state.marked && Number.isFinite(this.given) ? this.given + this.earlyMs : Number.POSITIVE_INFINITY
    return Math.min(this.windows.nextProcessingDue(), this.state.earliestEnd, given)
  }

  /** A result of the windows themselves: a final one takes the place of the early ones. */
  private settle(output: WindowOutput<Row>): void {
    if (!this.context.moment.retract) {
      const { window } = output
      const standing = this.state.standing(window)
      if (standing.length > 0) {
        this.takeBack(standing.map((each) => this.resultOf(each.window, each.acc)))
        this.state.stand(window, undefined)
      }
      this.state.settle(window)
    }
    this.context.emit(output)
  }

  /** Early results of windows that have grown and end later now, or that have lost all their records. @returns false when the budget is used up before. */
  private renewOverdue(now: EpochMs): boolean {
    for (;;) {
      const window = this.state.overdue(now)
      if (window === undefined) return true
      if (this.context.budget.left <= 0) return false
      const grown = this.state.grownFrom(window)
      if (grown === undefined) this.renew(window, undefined, window.end)
      else this.renew(grown, this.windows.value(grown), window.end)
    }
  }

  /** @returns false when the budget is used up before the last window. */
  private giveChanged(now: EpochMs, tick: EpochMs): boolean {
    this.changed ??= this.state.changed(now)
    for (;;) {
      this.head ??= this.changed.next().value
      const { head, after } = this
      if (head === undefined) break
      if (head.end > now && (after === undefined || compareWindows(head, after) > 0)) {
        if (this.context.budget.left <= 0) return false
        this.renew(head, this.windows.value(head), tick)
        this.after = head
      }
      this.head = undefined
    }
    this.changed = undefined
    this.after = undefined
    return true
  }

  /** Replaces what stands for a window by what it holds, `acc`; does nothing when that is the same. Caused by `time`. */
  private renew(window: WindowInfo, acc: Accumulator | undefined, time: EpochMs): void {
    const { context, state, aggregate } = this
    const { moment } = context
    context.present(time)
    moment.key = window.key
    moment.eventTime = window.end - 1
    moment.stamp = time - 1
    moment.appendTime = Number.isFinite(this.appendTime) ? this.appendTime : time - 1
    const old = state.standing(window).map((each) => this.resultOf(each.window, each.acc))
    const copy = acc === undefined || acc.n === 0 ? undefined : aggregate.copy(acc)
    const now = this.resultOf(window, copy)
    if (now !== undefined && old.length === 1 && old[0] !== undefined && sameResult(old[0], now)) return
    this.takeBack(old)
    if (now !== undefined) this.results.replace(undefined, now)
    state.stand(window, now === undefined ? undefined : copy)
  }

  private takeBack(old: readonly (WindowResult<Row> | undefined)[]): void {
    const { moment } = this.context
    const { stamp } = moment
    for (const result of old) {
      if (result === undefined) continue
      moment.stamp = Math.min(stamp, result.window.end - 1)
      this.results.replace(result, undefined)
    }
    moment.stamp = stamp
  }

  private resultOf({ key, start, end }: WindowInfo, acc: Accumulator | undefined): WindowResult<Row> | undefined {
    const result = this.results.of(key, start, end, acc)
    return result === undefined ? undefined : { row: result.row, window: { ...result.window, early: true } }
  }
}

function sameResult<Row>(a: WindowResult<Row>, b: WindowResult<Row>): boolean {
  return compareWindows(a.window, b.window) === 0 && compareValues(a.row, b.row) === 0
}
