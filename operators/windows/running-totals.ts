import type { Key } from '../../engine/model/record.ts'
import type { Accumulator, CompiledAggregate } from '../aggregates/compile.ts'
import type { KeyRun, LiveKeys } from './live-keys.ts'
import type { ApartPart, PaneStore } from './pane-store.ts'
import type { PaneRange, Totals } from './totals.ts'

interface Run extends KeyRun {
  total: Accumulator | undefined
}

/**
 * For aggregates that can be unmerged exactly: a pane is added when it enters and taken off when it leaves.
 * Invariant: the total of a run stays the same object, also while there is nothing in it.
 */
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
  }

  refresh(run: Run): void {
    const { from, to, end } = this.range
    const { total } = run
    let fresh: Accumulator | undefined
    for (let pane = from; pane < to; pane++) fresh = this.panes.fold(fresh, pane, run.key, end)
    if (total === undefined) run.total = fresh
    else if (fresh !== undefined) Object.assign(total, fresh)
    else this.aggregate.unmerge(total, this.aggregate.copy(total))
  }

  empty({ total }: Run): boolean {
    return total === undefined || total.n === 0
  }

  /** Reads of many keys overlap in a loop as short as this one. */
  gather({ totals }: LiveKeys<Run>, first: number, batch: (Accumulator | undefined)[]): number {
    const count = Math.min(batch.length, totals.length - first)
    for (let i = 0; i < count; i++) {
      const total = totals[first + i]!
      batch[i] = total.n === 0 ? undefined : total
    }
    return count
  }
}
