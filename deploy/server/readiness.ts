import type { EpochMs } from '../../engine/model/record.ts'
import type { Log } from '../../engine/ports/log.ts'
import type { Clock, Logger } from '../../engine/ports/world.ts'
import type { Positions } from '../../engine/runtime/steering.ts'
import { type CatchUpPolicy, caughtUp, type Gate, gatesOf, overdue, policyWith } from '../../replay/catch-up.ts'
import { alive, type VersionState } from '../../replay/control-state.ts'
import type { Progress } from '../../replay/progress.ts'
import type { VersionBoard } from '../../replay/version-board.ts'
import { VersionObserver } from './version-observer.ts'

export interface ReadinessWorld {
  readonly board: VersionBoard
  /** Errors: VERSION_UNKNOWN. */
  version(version: number): VersionState
  /** Whether it has a thread. */
  runs(version: number): boolean
  /** Where one without a thread stands. Asked once after each of its lives. */
  left(version: number): Promise<Positions>
  readonly log: Log
  readonly clock: Clock
  readonly logger: Logger
  /** Where a version has none of its own. */
  readonly policy: CatchUpPolicy
}

/** How far each version of a job has come, and whether that is enough to take over. Errors: VERSION_UNKNOWN where a version's policy counts. */
export class Readiness {
  private readonly world: ReadinessWorld
  private readonly observers = new Map<number, VersionObserver>()
  /** By version without a thread. */
  private readonly left = new Map<number, Promise<Positions | undefined>>()

  constructor(world: ReadinessWorld) {
    this.world = world
  }

  observer(version: number): VersionObserver {
    let observer = this.observers.get(version)
    if (observer === undefined) this.observers.set(version, (observer = new VersionObserver()))
    return observer
  }

  progress(version: number): Progress | undefined {
    return this.observer(version).progress(this.world.version(version))
  }

  /** Its thread begins or has ended: what was seen says nothing of what comes. */
  forget(version: number): void {
    this.observer(version).forget()
    this.left.delete(version)
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

  /** Those with a thread, and those that have none since they stopped: what comes in waits for them too. */
  get lookedAt(): number[] {
    const { board, runs } = this.world
    const wanted = [...board.control.versions.values()].filter(
      (state) => alive(state) && (runs(state.version) || state.health === 'stopped'),
    )
    return wanted.map(({ version }) => version)
  }

  /** Looks at one: those that trail come no further than the version that publishes, which may stand still. Only what runs is judged. */
  async look(version: number): Promise<void> {
    const { board, log, clock, runs } = this.world
    const judged = runs(version)
    const positions = await this.positions(version)
    if (positions === undefined || judged !== runs(version)) return
    const { owner, versions } = board.control
    const ownerStands = owner !== undefined && owner !== version && versions.get(owner)!.health !== 'running'
    const upTo = ownerStands ? await this.positions(owner) : undefined
    const { starts, health, recordsPerSecond, bytesPerSecond } = this.world.version(version)
    await this.observer(version).look(
      log,
      { positions, starts },
      judged ? this.policy(version) : undefined,
      clock.now(),
      upTo,
      health === 'running' && recordsPerSecond === null && bytesPerSecond === null,
    )
  }

  /** Next offset by source partition: as its tasks told, or as they left it. Undefined: not known yet. */
  private async positions(version: number): Promise<Positions | undefined> {
    const { board, runs } = this.world
    const told = board.facts(version)?.positions
    if (runs(version)) return told
    let left = this.left.get(version)
    if (left === undefined) this.left.set(version, (left = this.readLeft(version)))
    return (await left) ?? told
  }

  private async readLeft(version: number): Promise<Positions | undefined> {
    try {
      return await this.world.left(version)
    } catch (error) {
      this.world.logger.warn({ version: `v${version}`, error }, 'where a version that stopped stands could not be read')
      return undefined
    }
  }
}
