import { compareKeys, type Key } from '../../engine/model/record.ts'
import type { Accumulator } from '../aggregates/compile.ts'

/** What is known of a key while it has records in panes that have not left. */
export interface KeyRun {
  readonly key: Key
  /** Panes with the key that have not left. */
  panes: number
  /** It has records in the window that is next. */
  live: boolean
  /** It stands among the keys, live or not. Kept by LiveKeys. */
  placed: boolean
  /** Of the window that is next, where it is kept at hand: one and the same object as long as the run is placed. */
  readonly total: Accumulator | undefined
}

/**
 * The keys with records in the window that is next, in canonical order: kept sorted, so that firing doesn't sort.
 * Invariant: `dead` of those placed are not live; they are passed over by whoever walks `runs`, and taken out once they are many.
 */
export class LiveKeys<R extends KeyRun> {
  /** Sorted; some may not be live any more. */
  readonly runs: R[] = []
  /** Of `runs`, at the same places: whoever walks all of them does not have to visit each. */
  readonly keys: Key[] = []
  readonly totals: (Accumulator | undefined)[] = []
  private fresh: R[] = []
  private dead = 0

  get empty(): boolean {
    return this.runs.length + this.fresh.length === this.dead
  }

  add(run: R): void {
    if (run.live) return
    run.live = true
    if (run.placed) {
      this.dead--
      return
    }
    run.placed = true
    this.fresh.push(run)
  }

  drop(run: R): void {
    if (!run.live) return
    run.live = false
    this.dead++
  }

  /** Takes in what was added since. Not while `runs` is being walked. */
  settle(): void {
    const { fresh } = this
    if (this.dead > (this.runs.length + fresh.length) >> 2) this.sweep()
    if (this.fresh.length === 0) return
    this.insert(this.fresh.sort((a, b) => compareKeys(a.key, b.key)))
    this.fresh = []
  }

  /** The place of the first key above. */
  placeAfter(key: Key): number {
    return this.above(key, this.runs.length)
  }

  /** From the last to the first, so that each run that makes way is moved once. */
  private insert(fresh: readonly R[]): void {
    const { runs, keys, totals } = this
    let to = runs.length
    for (const run of fresh) this.push(run)
    for (let f = fresh.length - 1; f >= 0; f--) {
      const run = fresh[f]!
      const place = this.above(run.key, to)
      moveUp(runs, place, to, f + 1)
      moveUp(keys, place, to, f + 1)
      moveUp(totals, place, to, f + 1)
      runs[place + f] = run
      keys[place + f] = run.key
      totals[place + f] = run.total
      to = place
    }
  }

  private push(run: R): void {
    this.runs.push(run)
    this.keys.push(run.key)
    this.totals.push(run.total)
  }

  /** The place of the first key above among runs[0, to). */
  private above(key: Key, to: number): number {
    const { keys } = this
    let from = 0
    let end = to
    while (from < end) {
      const middle = (from + end) >>> 1
      if (compareKeys(keys[middle]!, key) <= 0) from = middle + 1
      else end = middle
    }
    return from
  }

  /** In place: lists as long as these would be made anew with each window. */
  private sweep(): void {
    const { runs, keys, totals } = this
    let kept = 0
    for (const run of runs) {
      if (!stays(run)) continue
      runs[kept] = run
      keys[kept] = run.key
      totals[kept] = run.total
      kept++
    }
    runs.length = kept
    keys.length = kept
    totals.length = kept
    this.fresh = this.fresh.filter(stays)
    this.dead = 0
  }
}

function moveUp<T>(list: T[], from: number, to: number, by: number): void {
  for (let i = to - 1; i >= from; i--) list[i + by] = list[i]!
}

function stays(run: KeyRun): boolean {
  run.placed = run.live
  return run.live
}
