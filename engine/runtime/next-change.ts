/**
 * Wakes those who wait for the next change. Not by a promise for all of them: one that stays open for days, raced anew a thousand times a
 * second, would keep each of those races.
 */
export class NextChange {
  private readonly waiting = new Set<() => void>()

  /** Calls `wake` at the next `tell`. @returns what takes that back; done twice, or too late, it does nothing. */
  onChange(wake: () => void): () => void {
    this.waiting.add(wake)
    return () => void this.waiting.delete(wake)
  }

  tell(): void {
    const waiting = [...this.waiting]
    this.waiting.clear()
    for (const wake of waiting) wake()
  }
}
