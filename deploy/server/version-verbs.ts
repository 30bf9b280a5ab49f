import { isDeepStrictEqual } from 'node:util'
import { StreamError } from '../../engine/errors.ts'
import type { Log } from '../../engine/ports/log.ts'
import type { Positions, Starts } from '../../engine/runtime/steering.ts'
import type { PolicyPart } from '../../replay/catch-up.ts'
import type { Place } from '../../replay/control-event.ts'
import { alive, type ControlState, type VersionState } from '../../replay/control-state.ts'
import type { Asked } from '../../replay/cut-over.ts'
import type { RateLimits } from '../../replay/pace.ts'
import type { ControlProbePoint } from '../../replay/probe-points.ts'
import { checkOutputs, type Writer } from '../output-owner.ts'
import type { Decisions } from './decisions.ts'
import type { InspectedJob } from './inspected-job.ts'
import { checkSame, sameVersion } from './same-version.ts'
import { checkSkip } from './skip-check.ts'
import { endsCutOver, type Switching } from './switching.ts'
import { wrongState } from './wrong-state.ts'

export interface RegisterRequest {
  readonly asked: Asked
  /** auto: it takes over by itself. */
  readonly promote: 'manual' | 'auto'
  readonly starts?: Starts
  /** What differs from what was said for the job's newest version, or else from the server's policy. */
  readonly policy?: PolicyPart | undefined
  /** From its first record on; absent: as many as it can. */
  readonly rate?: Partial<RateLimits> | undefined
  /** A new version in any case. */
  readonly anew?: boolean
}

export interface VerbsWorld {
  readonly job: string
  readonly log: Log
  readonly decisions: Decisions
  /** By version that is alive; a new one is put here before it is decided about. */
  readonly inspected: Map<number, InspectedJob>
  readonly switching: Switching
  /** All jobs, this one among them. */
  writers(): Iterable<Writer>
  control(): ControlState
  /** Errors: VERSION_UNKNOWN. */
  version(version: number): VersionState
  /** Next offset by source partition; undefined: not known. */
  positions(version: number): Positions | undefined
  /** Resolves once what was decided about a version is carried out. */
  carriedOut(version: number): Promise<void>
  point(name: ControlProbePoint): void
}

/** What can be asked for of a job's versions. All throw VERSION_UNKNOWN, and VERSION_STATE where the version is not in a state for it. */
export class VersionVerbs {
  private readonly world: VerbsWorld

  constructor(world: VerbsWorld) {
    this.world = world
  }

  /**
   * What is the same is the same version, but for `anew`. VERSION_STATE where it is asked to be what only a new one can be; OUTPUT_OWNED where another
   * job writes what it is to write.
   */
  async register(
    inspected: InspectedJob,
    sha256: string,
    parallelism: number,
    { asked, promote, starts = {}, policy, rate, anew = false }: RegisterRequest,
  ): Promise<VersionState> {
    const version = await this.world.decisions.inTurn(async () => {
      const same = anew ? undefined : sameVersion(this.world.control(), { sha256, parallelism, starts })
      if (same !== undefined) {
        await this.registerAgain(same, { asked, promote, policy, rate })
        return same.version
      }
      this.checkStarts(starts)
      const { registered } = this.world.control()
      const version = (registered?.version ?? 0) + 1
      // What was said of when a version counts as caught up holds for the job, until something else is said.
      const policyOfJob = { ...registered?.policy, ...policy }
      await this.claimingOutputs(version, inspected, () =>
        this.world.decisions.write({
          type: 'registered',
          version,
          sha256,
          parallelism,
          fingerprint: inspected.fingerprint,
          promote,
          starts,
          policy: policyOfJob,
          rate,
          ...asked,
        }),
      )
      this.world.point('deploy.registered')
      return version
    })
    await this.world.carriedOut(version)
    return this.world.version(version)
  }

  /** L6: between looking at who writes its outputs and saying that it does nothing awaits. What was not decided claims nothing. */
  private async claimingOutputs(version: number, inspected: InspectedJob, decide: () => Promise<void>): Promise<void> {
    checkOutputs(inspected.outputs, this.world.job, this.world.writers())
    this.world.inspected.set(version, inspected)
    try {
      await decide()
    } catch (error) {
      this.world.inspected.delete(version)
      throw error
    }
  }

  /** Limits and policy are as they are said last; what is not said of them stays. */
  private async registerAgain(
    state: VersionState,
    { asked, promote, policy, rate }: Pick<RegisterRequest, 'asked' | 'promote' | 'policy' | 'rate'>,
  ): Promise<void> {
    checkSame(this.world.job, state, { promote, limited: rate !== undefined })
    const { version } = state
    const changed = { ...state.policy, ...policy }
    if (policy !== undefined && !isDeepStrictEqual(changed, state.policy))
      await this.world.decisions.write({ type: 'policySet', version, policy: changed, ...asked })
    if (rate !== undefined) await this.decideRate(version, rate, asked)
  }

  /** A version never begins ahead of the one that publishes. */
  private checkStarts(starts: Starts): void {
    const { owner } = this.world.control()
    if (owner === undefined) return
    const positions = this.world.positions(owner)
    for (const [partition, offset] of Object.entries(starts)) {
      // What that one doesn't read holds nobody back.
      if (positions !== undefined && !positions.has(partition)) continue
      const reached = positions?.get(partition) ?? this.world.version(owner).starts[partition] ?? 0
      if (offset <= reached) continue
      throw new StreamError(
        'OFFSET_OUT_OF_RANGE',
        { partition, offset, reached },
        { fix: `v${owner} publishes and has not come so far: begin at ${reached} at most, or wait` },
      )
    }
  }

  /** One that was stopped takes nothing as it is, and keeps its reason. @param rate it was asked for as a rate of 0: another rate ends it. */
  async pause(version: number, asked: Asked, rate?: 0): Promise<VersionState> {
    await this.world.decisions.inTurn(async () => {
      const state = this.alive(version)
      // Paused, it would say no more why it was stopped, and look well.
      if (state.health === 'stopped') throw wrongState(this.world.job, state, 'it was stopped', `reprise status ${this.world.job}`)
      // Who asks for a pause has one that no rate ends.
      if (state.health === 'running' || (state.pausedByRate && rate === undefined))
        await this.world.decisions.write({ type: 'paused', version, rate, ...asked })
    })
    return this.world.version(version)
  }

  /** Also one that was stopped: it begins where it was. */
  async resume(version: number, asked: Asked): Promise<VersionState> {
    if (this.alive(version).health !== 'running')
      await this.world.decisions.inTurn(() => this.world.decisions.write({ type: 'resumed', version, ...asked }))
    await this.world.carriedOut(version)
    return this.world.version(version)
  }

  /** What is not named stays as it is; 0 pauses, until another rate is set. */
  async setRate(version: number, limits: Partial<RateLimits>, asked: Asked): Promise<VersionState> {
    this.alive(version)
    const kept = Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit !== 0))
    const pauses = Object.values(limits).includes(0)
    const goesOn = await this.world.decisions.inTurn(async () => {
      if (!pauses || Object.keys(kept).length > 0) await this.decideRate(version, kept, asked)
      // In the same turn: a pause that is asked for meanwhile comes behind it.
      const ends = !pauses && this.world.version(version).pausedByRate
      if (ends) await this.world.decisions.write({ type: 'resumed', version, ...asked })
      return ends
    })
    if (goesOn) await this.world.carriedOut(version)
    return pauses ? this.pause(version, asked, 0) : this.world.version(version)
  }

  private decideRate(version: number, limits: Partial<RateLimits>, asked: Asked): Promise<void> {
    const { recordsPerSecond, bytesPerSecond } = { ...this.world.version(version), ...limits }
    return this.world.decisions.write({ type: 'rateSet', version, recordsPerSecond, bytesPerSecond, ...asked })
  }

  /** It goes on past a record, which is set aside as a dead letter. Errors: those of checkSkip. */
  async skip(version: number, record: Place, asked: Asked): Promise<VersionState> {
    const state = this.alive(version)
    const sources = this.world.inspected.get(version)!.sources.map(({ name }) => name)
    checkSkip(this.world.log, { job: this.world.job, state, sources, positions: this.world.positions(version) }, record)
    await this.world.decisions.inTurn(() => this.world.decisions.write({ type: 'skipped', version, ...record, ...asked }))
    return this.resume(version, asked)
  }

  /** Gives up a candidate, or the way back. Done again it does nothing. */
  async abort(version: number, asked: Asked): Promise<VersionState> {
    // Its cut-over may have the turn, and ends at once.
    if (this.world.switching.to === version) await this.world.switching.abort(whoAndWhy(asked))
    await this.world.decisions.inTurn(async () => {
      const state = this.world.version(version)
      if (state.role === 'active')
        throw wrongState(this.world.job, state, 'it publishes', `reprise promote ${this.world.job} <another version>, or deploy one`)
      if (!alive(state)) return
      await this.world.decisions.write({ type: state.role === 'standby' ? 'retired' : 'aborted', version, ...asked })
      this.world.point('retire.decided')
    })
    await this.world.carriedOut(version)
    return this.world.version(version)
  }

  /**
   * Ends the cut-over to it, if one is under way and not decided; all versions stay as they are. VERSION_STATE also where another cut-over is under way,
   * where it was decided first, and for a candidate that takes over by itself: it would try again at once.
   */
  async abortCutOver(version: number, asked: Asked): Promise<VersionState> {
    const { job, switching } = this.world
    const state = this.alive(version)
    const { to = version } = switching
    if (to !== version) throw wrongState(job, state, `the cut-over under way is to v${to}`, endsCutOver(job, this.world.version(to)))
    if (state.role === 'candidate' && state.automatic)
      throw wrongState(job, state, 'it takes over by itself, and would try again', endsCutOver(job, state))
    await switching.abort(whoAndWhy(asked))
    const ended = this.world.version(version)
    if (ended.role === 'active') throw wrongState(job, ended, 'it publishes', `reprise rollback ${job}`)
    return ended
  }

  /** VERSION_STATE when nothing is left of it. */
  alive(version: number): VersionState {
    const state = this.world.version(version)
    if (!alive(state)) throw wrongState(this.world.job, state, `it was ${state.role}`, 'deploy its code again')
    return state
  }
}

function whoAndWhy({ by, reason }: Asked): string {
  return [by === undefined ? [] : `by ${by}`, reason ?? []].flat().join(', ')
}
