import type { EpochMs } from '../../engine/model/record.ts'
import type { Log } from '../../engine/ports/log.ts'
import type { Clock } from '../../engine/ports/world.ts'
import { type CatchUpPolicy, caughtUp, type Gate, gatesOf, overdue, policyWith } from '../../replay/catch-up.ts'
import type { VersionState } from '../../replay/control-state.ts'
import type { VersionBoard } from '../../replay/version-board.ts'
import { VersionObserver } from './version-observer.ts'

export interface ReadinessWorld {
  readonly board: VersionBoard
  /** Errors: VERSION_UNKNOWN. */
  version(version: number): VersionState
  readonly log: Log
  readonly clock: Clock
  /** Where a version has none of its own. */
  readonly policy: CatchUpPolicy
}

/** How far each version of a job has come, and whether that is enough to take over. Errors: VERSION_UNKNOWN where a version's policy counts. */
export class Readiness {
  private readonly world: ReadinessWorld
  private readonly observers = new Map<number, VersionObserver>()

  constructor(world: ReadinessWorld) {
    this.world = world
  }

  observer(version: number): VersionObserver {
    let observer = this.observers.get(version)
    if (observer === undefined) this.observers.set(version, (observer = new VersionObserver()))
    return observer
  }

  policy(version: number): CatchUpPolicy {
    return policyWith(this.world.policy, this.world.version(version).policy)
  }

  gates(version: number): Gate[] {
    const { catchUp, lag } = this.observer(version)
    return gatesOf(this.world.version(version), catchUp, lag, this.policy(version), this.world.clock.now())
  }

  caughtUp(version: number): boolean {
    const { catchUp } = this.observer(version)
    return catchUp !== undefined && caughtUp(catchUp, this.policy(version), this.world.clock.now())
  }

  /** Whether its time to catch up is over. */
  overdue(version: number): boolean {
    return overdue(this.world.version(version), this.policy(version), this.world.clock.now())
  }

  /** How long the oldest record that waits for the version that publishes has been there; 0 as well while that one stands still. */
  get ownerWaitsMs(): EpochMs {
    const { owner, versions } = this.world.board.control
    return owner === undefined || versions.get(owner)!.health !== 'running' ? 0 : (this.observer(owner).lag?.ms ?? 0)
  }

  /** Looks at one that runs: those that trail come no further than the version that publishes, which may stand still. */
  async look(version: number): Promise<void> {
    const { board, log, clock } = this.world
    const facts = board.facts(version)
    if (facts === undefined) return
    const { owner, versions } = board.control
    const ownerStands = owner !== undefined && owner !== version && versions.get(owner)!.health !== 'running'
    const upTo = ownerStands ? board.facts(owner)?.positions : undefined
    const { positions } = facts
    await this.observer(version).look(
      log,
      { positions, starts: this.world.version(version).starts },
      this.policy(version),
      clock.now(),
      upTo,
    )
  }
}
