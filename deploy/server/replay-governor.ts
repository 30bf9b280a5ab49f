import type { Clock } from '../../engine/ports/world.ts'
import type { Positions } from '../../engine/runtime/steering.ts'
import { govern } from '../../replay/governor.ts'

/** How often to look. */
export const governEveryMs = 100

/** What was usual longer ago than this is not usual any more. */
const usualWindowMs = 60_000

/** How much a version takes is told by what it took in so long. */
const takenWindowMs = 1000

interface Sample {
  readonly at: number
  readonly value: number
}

export interface GovernorWorld {
  readonly clock: Pick<Clock, 'monotonic'>
  /** The version that publishes. */
  owner(): number | undefined
  running(): Iterable<number>
  /** How far a version has come; undefined: not known. */
  positions(version: number): Positions | undefined
  /** The longest a record took through a version since the last call, ms; undefined: none came through. */
  takeLatency(version: number): number | undefined
  /** How long the oldest record that waits for the version that publishes has been in the log. */
  ownerWaitsMs(): number
  tell(version: number, recordsPerSecond: number | null): void
}

/** Holds versions that replay back while they hold up the one that publishes. Owns: their limits, and when each is told of them. */
export class ReplayGovernor {
  /** Records a second, by version; absent: no limit. */
  private readonly limits = new Map<number, number>()
  private readonly world: GovernorWorld
  private owner: number | undefined = undefined
  private latencies: Sample[] = []
  private readonly taken = new Map<number, Sample[]>()

  constructor(world: GovernorWorld) {
    this.world = world
  }

  /** Records a second a version is held back to; null: it takes less than it may. */
  heldBackTo(version: number): number | null {
    const limit = this.limits.get(version)
    if (limit === undefined) return null
    const taken = perSecond(this.taken.get(version) ?? [])
    return taken !== undefined && taken < limit * 0.75 ? null : limit
  }

  /** It begins anew: nothing is known of it. */
  forget(version: number): void {
    this.limits.delete(version)
    this.taken.delete(version)
  }

  look(): void {
    const { world } = this
    const owner = world.owner()
    const now = world.clock.monotonic()
    if (owner !== this.owner) this.latencies = []
    this.owner = owner
    const latencyMs = owner === undefined ? undefined : world.takeLatency(owner)
    this.latencies = within(this.latencies, now, usualWindowMs, latencyMs)
    const usualMs = this.latencies.length === 0 ? undefined : Math.min(...this.latencies.map(({ value }) => value))
    const ownerTakes = owner === undefined ? undefined : this.takenPerSecond(owner, now)
    for (const version of world.running()) {
      if (version === owner) {
        this.set(version, null)
        continue
      }
      const before = this.limits.get(version) ?? null
      const taken = this.takenPerSecond(version, now)
      this.set(version, govern(before, { latencyMs, usualMs, waitsMs: world.ownerWaitsMs(), taken, ownerTakes }))
    }
  }

  private set(version: number, limit: number | null): void {
    if (limit === (this.limits.get(version) ?? null)) return
    if (limit === null) this.limits.delete(version)
    else this.limits.set(version, limit)
    this.world.tell(version, limit)
  }

  /** Undefined: not known yet. */
  private takenPerSecond(version: number, now: number): number | undefined {
    const positions = this.world.positions(version)
    if (positions === undefined) return undefined
    const sum = [...positions.values()].reduce((total, position) => total + position, 0)
    const samples = within(this.taken.get(version) ?? [], now, takenWindowMs, sum)
    this.taken.set(version, samples)
    return perSecond(samples)
  }
}

/** Undefined: too little was seen. */
function perSecond(samples: readonly Sample[]): number | undefined {
  const [first, last] = [samples[0], samples.at(-1)]
  if (first === undefined || last!.at - first.at < takenWindowMs / 2) return undefined
  return ((last!.value - first.value) / (last!.at - first.at)) * 1000
}

function within(samples: readonly Sample[], now: number, windowMs: number, value: number | undefined): Sample[] {
  const recent = samples.filter(({ at }) => now - at <= windowMs)
  return value === undefined ? recent : [...recent, { at: now, value }]
}
