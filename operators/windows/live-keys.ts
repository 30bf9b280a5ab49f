import { compareKeys, type Key } from '../../engine/model/record.ts'

/** What is known of a key while it has records in panes that have not left. */
export interface KeyRun {
  readonly key: Key
  /** Panes with the key that have not left. */
  panes: number
  /** It is among the live keys, or about to be. */
  live: boolean
}

/** The keys with records in the window that is next, in canonical order: kept sorted, so that firing doesn't sort. */
export class LiveKeys<R extends KeyRun> {
  /** Sorted. */
  runs: R[] = []
  private fresh: R[] = []

  get empty(): boolean {
    return this.runs.length === 0 && this.fresh.length === 0
  }

  add(run: R): void {
    if (run.live) return
    run.live = true
    this.fresh.push(run)
  }

  /** Takes in what was added since. */
  settle(): void {
    const { fresh, runs } = this
    if (fresh.length === 0) return
    fresh.sort((a, b) => compareKeys(a.key, b.key))
    this.fresh = []
    if (runs.length === 0) {
      this.runs = fresh
      return
    }
    const all: R[] = []
    let f = 0
    for (let i = 0; i < runs.length; i++) {
      const run = runs[i]!
      while (f < fresh.length && compareKeys(fresh[f]!.key, run.key) < 0) all.push(fresh[f++]!)
      all.push(run)
    }
    while (f < fresh.length) all.push(fresh[f++]!)
    this.runs = all
  }

  /** Forgets those that are not live any more. */
  sweep(): void {
    const { runs } = this
    let kept = 0
    for (let i = 0; i < runs.length; i++) {
      const run = runs[i]!
      if (run.live) runs[kept++] = run
    }
    runs.length = kept
  }

  /** The place of the first key above. */
  placeAfter(key: Key): number {
    let from = 0
    let to = this.runs.length
    while (from < to) {
      const middle = (from + to) >>> 1
      if (compareKeys(this.runs[middle]!.key, key) <= 0) from = middle + 1
      else to = middle
    }
    return from
  }
}
