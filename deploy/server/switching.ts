import { codeOf, StreamError } from '../../engine/errors.ts'
import type { EpochMs } from '../../engine/model/record.ts'
import type { Log } from '../../engine/ports/log.ts'
import type { Clock, Logger, Metrics, Probe } from '../../engine/ports/world.ts'
import type { Gate } from '../../replay/catch-up.ts'
import { atCommonEnd, commonEndWithin, nextCommonEnd } from '../../replay/common-end.ts'
import type { CutOver } from '../../replay/control-event.ts'
import { alive, type VersionState } from '../../replay/control-state.ts'
import { type Asked, cutOver, givenUp, holdLimit } from '../../replay/cut-over.ts'
import type { VersionBoard } from '../../replay/version-board.ts'
import { Deferred } from '../../state/deferred.ts'
import { CutOverMetrics } from './cut-over-metrics.ts'
import type { InspectedJob } from './inspected-job.ts'
import { type Seam, seamBetween } from './seam.ts'
import { wrongState } from './wrong-state.ts'

export interface PromoteRequest {
  readonly version: number
  /** Although it is not caught up. Never although it doesn't run. */
  readonly force?: boolean
  /** Although the switch is not exact, or where it is not. */
  readonly allowSeam?: boolean
  /** How long to wait for a common end of changed windows. */
  readonly waitMs?: number
  /** What it is known by to who asked for it. */
  readonly operation?: string
  readonly asked: Asked
}

export interface SwitchingWorld {
  readonly log: Log
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
  readonly probe: Probe
  /** How long a cut-over may hold the owner. */
  readonly holdMs: number
}

/** What is known of the versions of the job, and the turn in which decisions are made. */
export interface SwitchedJob {
  readonly job: string
  readonly board: VersionBoard
  /** Errors: VERSION_UNKNOWN. */
  version(version: number): VersionState
  inspected(version: number): InspectedJob | undefined
  gates(version: number): readonly Gate[]
  runs(version: number): boolean
  inTurn<T>(work: () => Promise<T>): Promise<T>
}

export interface CutOverWait {
  /** turn: another decision is being made; hold: both versions are to stand still at one record; next-attempt: the last one failed. */
  readonly for: 'common-end' | 'turn' | 'hold' | 'next-attempt'
  readonly since: EpochMs
  /** When it ends at the latest; undefined: with what it waits for. */
  readonly until: EpochMs | undefined
}

/** A version is to take over, and that is not decided. */
export interface CutOverUnderWay {
  readonly to: number
  readonly operation: string | undefined
  readonly since: EpochMs
  readonly attempt: number
  readonly waits: CutOverWait
}

interface UnderWay extends CutOverUnderWay {
  attempt: number
  waits: CutOverWait
  readonly abort: AbortController
  /** Resolves once it is done with, either way. */
  readonly ended: Promise<void>
}

const attemptsMax = 5
const recoveryMs = 30_000

/** Hands the public topics of one job from version to version: whether that may be, where it is exact, and the attempts. One at a time. */
export class Switching {
  private readonly job: SwitchedJob
  private readonly world: SwitchingWorld
  private readonly metrics: CutOverMetrics
  private underWay: UnderWay | undefined = undefined

  constructor(job: SwitchedJob, world: SwitchingWorld) {
    this.job = job
    this.world = world
    this.metrics = new CutOverMetrics(job.job, world.metrics, world.clock)
  }

  get current(): CutOverUnderWay | undefined {
    return this.underWay
  }

  /** The version that is to take over in the cut-over under way. */
  get to(): number | undefined {
    return this.underWay?.to
  }

  /** It has the turn, or waits for it; not while a common end is waited for, which may be hours. */
  get attempting(): boolean {
    const waits = this.underWay?.waits.for
    return waits === 'turn' || waits === 'hold'
  }

  /** Refuses what can't be promoted now. VERSION_UNKNOWN, VERSION_STATE, VERSION_NOT_READY, CUT_OVER_SEAM. */
  check(request: PromoteRequest): void {
    this.checkRole(request.version)
    this.checkConditions(request)
  }

  /** Refuses a version that is none to promote, and any while a cut-over is under way. VERSION_UNKNOWN, VERSION_STATE. */
  checkRole(version: number): void {
    const { job } = this.job
    const state = this.job.version(version)
    checkPromotable(job, state)
    if (this.underWay === undefined) return
    const { to, operation } = this.underWay
    const fix = `let it end, or end it: ${endsCutOver(job, this.job.version(to))}`
    throw wrongState(job, state, `a cut-over to v${to} is under way`, fix, { operation })
  }

  /** What else stands in the way: nothing, or CUT_OVER_SEAM, VERSION_NOT_READY, each with the command that helps. VERSION_UNKNOWN. */
  blockedBy({ version, force = false, allowSeam = false }: Pick<PromoteRequest, 'version' | 'force' | 'allowSeam'>): StreamError[] {
    const { differs } = this.seam(version)
    const missing = this.job.gates(version).filter(({ name, pass }) => !pass && !(force && name !== 'running'))
    return [
      ...(differs.length > 0 && !allowSeam ? [this.hasSeam(version, differs, 'a switch is exact nowhere')] : []),
      ...(missing.length > 0 ? [this.notReady(version, missing)] : []),
    ]
  }

  private checkConditions(request: PromoteRequest): void {
    checkPromotable(this.job.job, this.job.version(request.version))
    const [first] = this.blockedBy(request)
    if (first !== undefined) throw first
  }

  private notReady(version: number, missing: readonly Gate[]): StreamError {
    const { job } = this.job
    const { name, found, limit } = missing[0]!
    const resume = name === 'running' ? `reprise resume ${job} v${version} && ` : ''
    return new StreamError(
      'VERSION_NOT_READY',
      { job, version, gate: name, found, limit, gates: missing.map((gate) => gate.name) },
      {
        fix: `${resume}reprise wait ${job} v${version} && ${this.command(version)}${this.seam(version).differs.length > 0 ? ' --allow-seam' : ''}`,
      },
    )
  }

  /** How it differs from the version that publishes in how it cuts time. */
  seam(version: number): Seam {
    const { owner } = this
    const [old, next] = [this.job.inspected(owner), this.job.inspected(version)]
    if (old === undefined || next === undefined) return { differs: [], changedWindows: [] }
    const startsOf = (one: number) => this.job.version(one).starts
    return seamBetween({ inspected: old, starts: startsOf(owner) }, { inspected: next, starts: startsOf(version) })
  }

  /** Windows that changed, whether the version that publishes is at a common end of them, and when the next one is; in event time, or processing time. */
  commonEnds(version: number) {
    const facts = this.job.board.facts(this.owner)
    return this.seam(version).changedWindows.map((windows) => ({
      what: windows.what,
      now: facts !== undefined && atCommonEnd(windows, facts),
      next: facts === undefined ? undefined : nextCommonEnd(windows, facts),
    }))
  }

  /** Whether it may take over by itself: where all gates pass and the switch is exact. */
  takesOver(version: number): boolean {
    if (!this.job.gates(version).every(({ pass }) => pass)) return false
    const { differs, changedWindows } = this.seam(version)
    const facts = this.job.board.facts(this.owner)
    return differs.length === 0 && changedWindows.every((windows) => facts !== undefined && atCommonEnd(windows, facts))
  }

  /** Hands the public topics over. Errors: those of `check`, CUT_OVER_SEAM without a common end in time, CUT_OVER_ABORTED after several attempts. */
  async promote(request: PromoteRequest): Promise<CutOver> {
    const { version, operation } = request
    const { job } = this.job
    this.checkRole(version)
    const abort = new AbortController()
    const ended = new Deferred()
    const { clock } = this.world
    const since = clock.now()
    const until = clock.monotonic() + (request.waitMs ?? 0)
    this.underWay = {
      to: version,
      operation,
      since,
      attempt: 1,
      waits: { for: 'common-end', since, until: since },
      abort,
      ended: ended.promise,
    }
    try {
      for (let attempt = 1; ; attempt++) {
        this.underWay.attempt = attempt
        await this.reachCommonEnd(request, until, abort.signal)
        try {
          this.waitFor('turn')
          return await this.job.inTurn(() => this.attempt(request, abort.signal))
        } catch (error) {
          const pauseMs = 100 * 2 ** attempt
          this.waitFor('next-attempt', pauseMs)
          if (codeOf(error) !== 'CUT_OVER_ABORTED' || attempt === attemptsMax || abort.signal.aborted) throw error
          this.world.logger.warn({ job, attempt, error: String(error) }, 'cut-over is tried again')
          await clock.sleep(pauseMs, abort.signal)
        }
      }
    } finally {
      this.underWay = undefined
      ended.resolve()
    }
  }

  /** Gives up the cut-over under way, if nothing is decided yet; resolves once it has ended, either way. @param reason said in its error. */
  async abort(reason: string): Promise<void> {
    this.underWay?.abort.abort(reason)
    await this.underWay?.ended
  }

  private waitFor(what: CutOverWait['for'], atMostMs?: number): void {
    const since = this.world.clock.now()
    this.underWay!.waits = { for: what, since, until: atMostMs === undefined ? undefined : since + atMostMs }
  }

  private get owner(): number {
    return this.job.board.control.owner!
  }

  /** @param until by the clock that never goes back. */
  private async reachCommonEnd(
    { version, allowSeam = false, waitMs = 0 }: PromoteRequest,
    until: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { changedWindows } = this.seam(version)
    if (allowSeam || changedWindows.length === 0) return
    const { clock } = this.world
    const leftMs = Math.max(0, until - clock.monotonic())
    this.waitFor('common-end', leftMs)
    const { job, board } = this.job
    if (await commonEndWithin(leftMs, changedWindows, { board, clock, signal })) return
    if (signal.aborted) throw new StreamError('CUT_OVER_ABORTED', { job, version, reason: givenUp(signal) })
    const missed = this.commonEnds(version).filter(({ now }) => !now)
    const next = missed.map(({ what, next }) => `${what}${next === undefined ? '' : `, next at ${new Date(next).toISOString()}`}`)
    throw this.hasSeam(version, next, `no common end of windows came within ${waitMs / 1000} s`)
  }

  private attempt(request: PromoteRequest, signal: AbortSignal): Promise<CutOver> {
    const { job } = this.job
    const { version } = request
    // While it waited for its turn, or for the next attempt.
    if (signal.aborted) throw new StreamError('CUT_OVER_ABORTED', { job, version, reason: givenUp(signal) })
    this.checkConditions(request)
    const kind = this.job.version(request.version).role === 'standby' ? 'rollback' : 'promote'
    return this.metrics.measure(kind, () => this.cutOver(request, signal))
  }

  private cutOver({ version: to, asked, allowSeam = false }: PromoteRequest, signal: AbortSignal): Promise<CutOver> {
    const { log, clock, probe } = this.world
    const { job, board } = this.job
    const { owner } = this
    const holdMs = holdLimit(board.control, this.job.runs(owner), { holdMs: this.world.holdMs, recoveryMs })
    const versions = [owner, to].map((each) => this.job.inspected(each))
    const { differs, changedWindows } = this.seam(to)
    const outputs = [...new Set(versions.flatMap((one) => one?.outputs.map(({ name }) => name) ?? []))]
    this.waitFor('hold', holdMs)
    return cutOver(
      { log, clock, probe, board, job, outputs },
      { to, holdMs, asked, seam: differs, changedWindows, anywhere: allowSeam, signal },
    )
  }

  private command(version: number): string {
    return `reprise ${this.job.version(version).role === 'standby' ? 'rollback' : 'promote'} ${this.job.job} v${version}`
  }

  private hasSeam(version: number, differs: readonly string[], reason: string): StreamError {
    return new StreamError(
      'CUT_OVER_SEAM',
      { job: this.job.job, from: this.owner, to: version, reason, differs: differs.join('; ') },
      {
        fix: `windows that end up to the switch are as the old version saw them, all others as the new one; if that is fine: ${this.command(version)} --allow-seam`,
      },
    )
  }
}

/** The command that ends a cut-over to the version before it is decided. One that takes over by itself would try again at once: it is paused. */
export function endsCutOver(job: string, { version, role, automatic }: VersionState): string {
  return role === 'candidate' && automatic ? `reprise pause ${job} v${version}` : `reprise abort ${job} v${version} --keep`
}

/** VERSION_STATE: it publishes, or is no more. */
function checkPromotable(job: string, state: VersionState): void {
  if (state.role === 'active') throw wrongState(job, state, 'it publishes already', `reprise status ${job}`)
  if (!alive(state)) throw wrongState(job, state, `it was ${state.role}`, 'deploy its code again')
}
