import { compareKeys, type Key } from '../../engine/model/record.ts'

/** What is known of a key while it has records in panes that have not left. */
export interface KeyRun {
  readonly key: Key
  /** Panes with the key that have not left. */
  panes: number
  /** It has records in the window that is next. */
  live: boolean
  /** It stands among the keys, live or not. Kept by LiveKeys. */
  placed: boolean
}

/**
 * The keys with records in the window that is next, in canonical order: kept sorted, so that firing doesn't sort.
 * Invariant: `dead` of those placed are not live; they are passed over by whoever walks `runs`, and taken out once they are many.
 */
export class LiveKeys<R extends KeyRun> {
  /** Sorted; some may not be live any more. */
  runs: R[] = []
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
    const { runs } = this
    let to = runs.length
    for (const run of fresh) runs.push(run)
    for (let f = fresh.length - 1; f >= 0; f--) {
      const run = fresh[f]!
      const place = this.above(run.key, to)
      for (let i = to - 1; i >= place; i--) runs[i + f + 1] = runs[i]!
      runs[place + f] = run
      to = place
    }
  }

  /** The place of the first key above among runs[0, to). */
  private above(key: Key, to: number): number {
    const { runs } = this
    let from = 0
    let end = to
    while (from < end) {
      const middle = (from + end) >>> 1
      if (compareKeys(runs[middle]!.key, key) <= 0) from = middle + 1
      else end = middle
    }
    return from
  }

  private sweep(): void {
    this.runs = this.runs.filter(stays)
    this.fresh = this.fresh.filter(stays)
    this.dead = 0
  }
}

function stays(run: KeyRun): boolean {
  run.placed = run.live
  return run.live
}
