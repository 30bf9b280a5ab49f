import type { Key } from '../../engine/model/record.ts'
import type { Accumulator, CompiledAggregate } from '../aggregates/compile.ts'
import type { KeyRun, LiveKeys } from './live-keys.ts'
import type { ApartPart, PaneStore } from './pane-store.ts'
import type { PaneRange, Totals } from './totals.ts'

interface Run extends KeyRun {
  /** For each pane of the former block with the key, latest first: all from that pane to the end of its block. */
  front: { readonly pane: number; readonly acc: Accumulator }[]
  /** All panes of the present block. */
  back: Accumulator | undefined
}

/**
 * For aggregates that can only be merged: panes form blocks as wide as a window, by their number, so a window is the end of one block and the beginning
 * of the next. What the end gives is worked out once, when the next block begins; the beginning grows pane by pane.
 * Blocks don't depend on when the task started, so neither does the order of merges.
 */
export class StackTotals<T> implements Totals<Run> {
  private readonly aggregate: CompiledAggregate<T, unknown>
  private readonly panes: PaneStore<T>
  private readonly range: PaneRange

  constructor(aggregate: CompiledAggregate<T, unknown>, panes: PaneStore<T>, range: PaneRange) {
    this.aggregate = aggregate
    this.panes = panes
    this.range = range
  }

  newRun(key: Key): Run {
    return { key, panes: 0, live: false, placed: false, total: undefined, front: [], back: undefined }
  }

  paneEnters(pane: number, live: readonly Run[], keysOf: (pane: number) => readonly Run[]): void {
    if (pane % this.panes.width !== 0) return
    for (const run of live) {
      run.front = []
      run.back = undefined
    }
    for (let former = pane - 1; former >= this.range.from; former--) for (const run of keysOf(former)) this.pushFront(run, former)
  }

  enter(run: Run, acc: Accumulator): void {
    if (run.back === undefined) run.back = this.aggregate.copy(acc)
    else this.aggregate.merge(run.back, acc)
  }

  leave(run: Run, pane: number, _cell: Accumulator | undefined, _parts: readonly ApartPart[] | undefined): void {
    const { front } = run
    if (front.length > 0 && front[front.length - 1]!.pane === pane) front.pop()
    // A window as wide as one pane, or the last pane of a block that nothing followed.
    else if (front.length === 0 && pane >= this.blockStart()) this.refresh(run)
  }

  refresh(run: Run): void {
    const { from, to, end } = this.range
    const block = this.blockStart()
    run.front = []
    run.back = undefined
    for (let pane = Math.min(block, to) - 1; pane >= from; pane--) this.pushFront(run, pane)
    for (let pane = Math.max(block, from); pane < to; pane++) run.back = this.panes.fold(run.back, pane, run.key, end)
  }

  empty({ front, back }: Run): boolean {
    return front.length === 0 && back === undefined
  }

  gather({ runs }: LiveKeys<Run>, first: number, batch: (Accumulator | undefined)[]): number {
    const count = Math.min(batch.length, runs.length - first)
    for (let i = 0; i < count; i++) batch[i] = this.value(runs[first + i]!)
    return count
  }

  private value(run: Run): Accumulator | undefined {
    const { front, back } = run
    if (front.length === 0) return back
    const first = front[front.length - 1]!.acc
    if (back === undefined) return first
    const both = this.aggregate.copy(first)
    this.aggregate.merge(both, back)
    return both
  }

  /** First pane of the block of the pane that entered last. */
  private blockStart(): number {
    const { width } = this.panes
    return Math.floor((this.range.to - 1) / width) * width
  }

  private pushFront(run: Run, pane: number): void {
    const { front } = run
    const acc = this.panes.fold(undefined, pane, run.key, this.range.end)
    if (acc === undefined) return
    if (front.length > 0) this.aggregate.merge(acc, front[front.length - 1]!.acc)
    front.push({ pane, acc })
  }
}
