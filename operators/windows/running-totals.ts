import type { Key } from '../../engine/model/record.ts'
import type { Accumulator, CompiledAggregate } from '../aggregates/compile.ts'
import type { KeyRun } from './live-keys.ts'
import type { ApartPart, PaneStore } from './pane-store.ts'
import type { PaneRange, Totals } from './totals.ts'

interface Run extends KeyRun {
  total: Accumulator | undefined
}

/** For aggregates that can be unmerged exactly: a pane is added when it enters and taken off when it leaves. */
export class RunningTotals<T> implements Totals<Run> {
  private readonly aggregate: CompiledAggregate<T, unknown>
  private readonly panes: PaneStore<T>
  private readonly range: PaneRange

  constructor(aggregate: CompiledAggregate<T, unknown>, panes: PaneStore<T>, range: PaneRange) {
    this.aggregate = aggregate
    this.panes = panes
    this.range = range
  }

  newRun(key: Key): Run {
    return { key, panes: 0, live: false, placed: false, total: undefined }
  }

  paneEnters(): void {}

  enter(run: Run, acc: Accumulator): void {
    if (run.total === undefined) run.total = this.aggregate.copy(acc)
    else this.aggregate.merge(run.total, acc)
  }

  leave(run: Run, _pane: number, cell: Accumulator | undefined, parts: readonly ApartPart[] | undefined): void {
    const { total } = run
    if (total === undefined) return
    if (cell !== undefined) this.aggregate.unmerge(total, cell)
    if (parts !== undefined) for (const part of parts) this.aggregate.unmerge(total, part.acc)
    if (total.n === 0) run.total = undefined
  }

  refresh(run: Run): void {
    const { from, to, end } = this.range
    run.total = undefined
    for (let pane = from; pane < to; pane++) run.total = this.panes.fold(run.total, pane, run.key, end)
  }

  empty(run: Run): boolean {
    return run.total === undefined
  }

  value(run: Run): Accumulator | undefined {
    return run.total
  }
}
