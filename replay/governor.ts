/** What one look found. */
export interface GovernorLook {
  /** How long a record took through the version that publishes, from its append until what came of it was durable: the longest since the last look. Undefined: none came through. */
  readonly latencyMs: number | undefined
  /** The lowest such number of late: how long it takes when nobody is in the way. */
  readonly usualMs: number | undefined
  /** How long the oldest record that waits for that version has been in the log. */
  readonly waitsMs: number
  /** Records a second the governed version took of late; undefined: not known yet. */
  readonly taken: number | undefined
  /** The same of the version that publishes. */
  readonly ownerTakes: number | undefined
}

/** Up to here nobody feels it. */
const unfeltMs = 25

/** So much longer than usual it may take. */
const slowerThanUsual = 1.5

/** Longer than this nothing should wait, however long it usually does. */
const waitsMsMax = 1000

/** However hard the other is pressed. */
const leastPerSecond = 1000

/** Whoever has caught up must stay close behind: it may always be so many times as fast as the other, unless records wait for that one. */
const aheadOfOwner = 4

/** By so much a limit is changed with each look. */
const slower = 0.7
const faster = 1.15

/** While it is not known what it could take. */
const firstPerSecond = 20_000

/** What a limit may rise to at least, however little there is to take: more may come. */
const roomPerSecond = 100_000

/**
 * The limit of a version that runs beside the one that publishes: lowered with each look that finds that one held up, raised again after, up to
 * what makes no difference. None while nothing goes through that one. @param before null: none. @returns records a second; null: none. Pure.
 */
export function govern(before: number | null, { latencyMs = 0, usualMs, waitsMs, taken, ownerTakes = 0 }: GovernorLook): number | null {
  const now = before ?? taken ?? firstPerSecond
  if (waitsMs > waitsMsMax) return Math.max(leastPerSecond, now * slower)
  if (usualMs === undefined) return null
  const least = Math.max(leastPerSecond, ownerTakes * aheadOfOwner)
  if (latencyMs > Math.max(unfeltMs, usualMs * slowerThanUsual)) return Math.max(least, now * slower)
  return Math.max(least, Math.min(now * faster, Math.max(roomPerSecond, (taken ?? now) * 2)))
}
