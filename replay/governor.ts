/** What one look found. */
export interface GovernorLook {
  /** How long the oldest record that waits for the version that publishes has been in the log. */
  readonly ownerWaitsMs: number
  /** Records a second the governed version took of late; undefined: not known yet. */
  readonly taken: number | undefined
}

/** Longer than this nothing should wait for the version that publishes. */
const patienceMs = 1000

/** However hard that one is pressed. */
const leastPerSecond = 1000

/**
 * The limit of a version that runs beside the one that publishes: halved with each look that finds that one pressed, doubled again after, and
 * taken away once it makes no difference. @param before null: none. @returns records a second; null: none. Pure.
 */
export function govern(before: number | null, { ownerWaitsMs, taken = 0 }: GovernorLook): number | null {
  if (ownerWaitsMs > patienceMs) return Math.max(leastPerSecond, (before ?? taken) / 2)
  if (before === null || taken < before / 2) return null
  return before * 2
}
