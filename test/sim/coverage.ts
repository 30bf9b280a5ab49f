/** What happened in a batch of runs: a fault that never took place proves nothing. */
export class Coverage {
  readonly counts = new Map<string, number>()

  count(what: string, by = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + by)
  }

  add(other: Coverage): void {
    for (const [what, by] of other.counts) this.count(what, by)
  }

  missing(wanted: readonly string[]): string[] {
    return wanted.filter((what) => (this.counts.get(what) ?? 0) === 0)
  }

  toString(): string {
    return [...this.counts]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([what, count]) => `${what}: ${count}`)
      .join(', ')
  }
}
