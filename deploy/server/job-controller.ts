import { isDeepStrictEqual } from 'node:util'
import { knownCode, StreamError } from '../../engine/errors.ts'
import type { EpochMs } from '../../engine/model/record.ts'
import type { Probe } from '../../engine/ports/world.ts'
import type { JobBundle } from '../../engine/runtime/load-job.ts'
import type { Starts } from '../../engine/runtime/steering.ts'
import type { CatchUpPolicy, PolicyPart } from '../../replay/catch-up.ts'
import type { ControlEvent, Place } from '../../replay/control-event.ts'
import { decide, readControl } from '../../replay/control-log.ts'
import { alive, type ControlState, type VersionState } from '../../replay/control-state.ts'
import { type Action, step } from '../../replay/controller.ts'
import type { Asked } from '../../replay/cut-over.ts'
import type { RateLimits } from '../../replay/pace.ts'
import type { ControlProbePoint } from '../../replay/probe-points.ts'
import { ActionRunner } from './action-runner.ts'
import { cleanVersion } from './clean-version.ts'
import type { InspectedJob } from './inspected-job.ts'
import { leftPositions } from './left-positions.ts'
import { Readiness } from './readiness.ts'
import { governEveryMs, ReplayGovernor } from './replay-governor.ts'
import { checkSame, sameVersion } from './same-version.ts'
import { checkSkip } from './skip-check.ts'
import { Switching } from './switching.ts'
import type { VersionHost } from './version-host.ts'
import type { ThreadFailure } from './version-messages.ts'
import { type ThreadsWorld, VersionThreads } from './version-threads.ts'
import { wrongState } from './wrong-state.ts'

export interface ControllerWorld extends ThreadsWorld {
  /** What can be known of a bundle without running its functions. */
  readonly inspect: (bundle: JobBundle) => Promise<InspectedJob>
  readonly policy: CatchUpPolicy
  /** How long a version that published before runs on. */
  readonly bakeMs: number
  /** How long a cut-over may hold the owner. */
  readonly holdMs: number
  readonly probe: Probe
}

export interface RegisterRequest {
  readonly asked: Asked
  /** auto: it takes over by itself. */
  readonly promote: 'manual' | 'auto'
  readonly starts?: Starts
  /** What differs from the server's policy. */
  readonly policy?: PolicyPart | undefined
  /** From its first record on; absent: as many as it can. */
  readonly rate?: Partial<RateLimits> | undefined
  /** A new version in any case. */
  readonly anew?: boolean
}

const lookEveryMs = 500

/**
 * Leads one job: what was asked for becomes events of its control log, and what the log says is carried out.
 * Owns: the job's control log, the threads of its versions.
 * Invariant: one decision at a time, each made against the state it builds on.
 */
export class JobController {
  readonly job: string
  /** By version; of those that were alive when the server started, and later ones. */
  readonly inspected = new Map<number, InspectedJob>()
  private readonly world: ControllerWorld
  private readonly threads: VersionThreads
  readonly switching: Switching
  readonly readiness: Readiness
  private readonly cleaned = new Set<number>()
  private readonly actions = new ActionRunner(
    (action) => this.carryOut(action),
    (error) => this.world.logger.error({ job: this.job, error }, 'an action failed, and is tried again'),
  )
  private readonly governor: ReplayGovernor
  /** When its loop came by last. */
  lookedAt: EpochMs
  private turn: Promise<unknown> = Promise.resolve()
  private readonly over = new AbortController()
  private loop: Promise<unknown> = Promise.resolve()

  static async open(job: string, world: ControllerWorld): Promise<JobController> {
    const controller = new JobController(job, world)
    const control = await readControl(world.log, job)
    for (const state of control.versions.values()) {
      if (alive(state)) controller.inspected.set(state.version, await world.inspect(await world.bundles.get(state.sha256)))
    }
    controller.threads.board.control = control
    controller.loop = Promise.all([
      controller.repeat(lookEveryMs, () => controller.lookAndAct()),
      controller.repeat(governEveryMs, async () => controller.governor.look()),
    ])
    return controller
  }

  private constructor(job: string, world: ControllerWorld) {
    this.job = job
    this.world = world
    this.lookedAt = world.clock.now()
    this.threads = new VersionThreads(
      job,
      world,
      (version, failure) => this.ended(version, failure),
      (version) => this.inspected.get(version)?.sources.map(({ name }) => name) ?? [],
    )
    this.readiness = new Readiness({
      ...world,
      logger: world.logger.child({ job }),
      board: this.threads.board,
      version: (version) => this.version(version),
      runs: (version) => this.threads.running.has(version),
      left: (version) => leftPositions(world.log, world.directory, this.inspected.get(version)!, this.version(version)),
    })
    this.switching = new Switching(
      {
        job,
        board: this.threads.board,
        version: (version) => this.version(version),
        inspected: (version) => this.inspected.get(version),
        gates: (version) => this.readiness.gates(version),
        runs: (version) => this.threads.running.has(version),
        inTurn: (work) => this.inTurn(work),
      },
      world,
    )
    this.governor = new ReplayGovernor({
      clock: world.clock,
      owner: () => this.control.owner,
      running: () => this.threads.running,
      positions: (version) => this.facts(version)?.positions,
      takeLatency: (version) => this.threads.takeLatency(version),
      ownerWaitsMs: () => this.readiness.ownerWaitsMs,
      tell: (version, recordsPerSecond) => this.threads.get(version)?.send({ kind: 'govern', recordsPerSecond }),
    })
  }

  get control(): ControlState {
    return this.threads.board.control
  }

  version(number: number): VersionState {
    const found = this.control.versions.get(number)
    if (found !== undefined) return found
    const known = [...this.control.versions.keys()].map((version) => `v${version}`).join(', ')
    throw new StreamError('VERSION_UNKNOWN', { job: this.job, version: number }, { fix: `there are ${known}` })
  }

  /** Also of a version that is no more. */
  async code(version: number): Promise<InspectedJob> {
    return this.inspected.get(version) ?? this.world.inspect(await this.world.bundles.get(this.version(version).sha256))
  }

  host(version: number): VersionHost | undefined {
    return this.threads.get(version)
  }

  /** Of the versions that run. */
  get hosts(): VersionHost[] {
    return [...this.threads.running].map((version) => this.threads.get(version)!)
  }

  diskBytes(version: number): number | undefined {
    return this.threads.diskBytes(version)
  }

  facts(version: number) {
    return this.threads.board.facts(version)
  }

  /** Of those that replay. */
  get newestCandidate(): VersionState | undefined {
    return [...this.control.versions.values()].filter(({ role }) => role === 'candidate').at(-1)
  }

  /** Whether the topic is an output of any of its versions. */
  writes(topic: string): boolean {
    return [...this.inspected.values()].some(({ outputs }) => outputs.some(({ name }) => name === topic))
  }

  /** Public output topics. VERSION_UNKNOWN; VERSION_STATE when nothing is left of it. */
  outputsOf(version: number): string[] {
    return this.inspected.get(this.checkAlive(version).version)!.outputs.map(({ name }) => name)
  }

  /** The version that published before the one that does now, if it still runs. */
  get wayBack(): VersionState | undefined {
    const standbys = [...this.control.versions.values()].filter(({ role }) => role === 'standby')
    return standbys.sort((a, b) => a.roleSince - b.roleSince).at(-1)
  }

  /** What is the same is the same version, but for `anew`. VERSION_STATE where it is asked to be what only a new one can be. */
  async register(
    inspected: InspectedJob,
    sha256: string,
    parallelism: number,
    { asked, promote, starts = {}, policy, rate, anew = false }: RegisterRequest,
  ): Promise<VersionState> {
    const version = await this.inTurn(async () => {
      const same = anew ? undefined : sameVersion(this.control, { sha256, parallelism, starts })
      if (same !== undefined) {
        await this.registerAgain(same, { asked, promote, policy, rate })
        return same.version
      }
      this.checkStarts(starts)
      const version = Math.max(0, ...this.control.versions.keys()) + 1
      this.inspected.set(version, inspected)
      await this.decide({
        type: 'registered',
        version,
        sha256,
        parallelism,
        fingerprint: inspected.fingerprint,
        promote,
        starts,
        policy,
        ...asked,
      })
      if (rate !== undefined) await this.decideRate(version, rate, asked)
      this.point('deploy.registered')
      return version
    })
    await this.actOn(version)
    return this.version(version)
  }

  /** Limits and policy are as they are said last. */
  private async registerAgain(
    state: VersionState,
    { asked, promote, policy, rate }: Pick<RegisterRequest, 'asked' | 'promote' | 'policy' | 'rate'>,
  ): Promise<void> {
    checkSame(this.job, state, { promote, limited: rate !== undefined })
    const { version } = state
    if (policy !== undefined && !isDeepStrictEqual(policy, state.policy))
      await this.decide({ type: 'policySet', version, policy, ...asked })
    if (rate !== undefined) await this.decideRate(version, rate, asked)
  }

  /** A version never begins ahead of the one that publishes. */
  private checkStarts(starts: Starts): void {
    const { owner } = this.control
    if (owner === undefined) return
    for (const [partition, offset] of Object.entries(starts)) {
      const facts = this.facts(owner)
      // What that one doesn't read holds nobody back.
      if (facts !== undefined && !facts.positions.has(partition)) continue
      const reached = facts?.positions.get(partition) ?? this.version(owner).starts[partition] ?? 0
      if (offset <= reached) continue
      throw new StreamError(
        'OFFSET_OUT_OF_RANGE',
        { partition, offset, reached },
        { fix: `v${owner} publishes and has not come so far: begin at ${reached} at most, or wait` },
      )
    }
  }

  /** @param rate it was asked for as a rate of 0: another rate ends it. */
  async pause(version: number, asked: Asked, rate?: 0): Promise<VersionState> {
    if (this.checkAlive(version).health !== 'paused') await this.inTurn(() => this.decide({ type: 'paused', version, rate, ...asked }))
    return this.version(version)
  }

  /** Also one that was stopped: it begins where it was. */
  async resume(version: number, asked: Asked): Promise<VersionState> {
    if (this.checkAlive(version).health !== 'running') await this.inTurn(() => this.decide({ type: 'resumed', version, ...asked }))
    await this.actOn(version)
    return this.version(version)
  }

  /** What is not named stays as it is. One that is paused because of a rate of 0 goes on. */
  async setRate(version: number, limits: Partial<RateLimits>, asked: Asked): Promise<VersionState> {
    this.checkAlive(version)
    await this.inTurn(() => this.decideRate(version, limits, asked))
    return this.version(version).pausedByRate ? this.resume(version, asked) : this.version(version)
  }

  private decideRate(version: number, limits: Partial<RateLimits>, asked: Asked): Promise<void> {
    const { recordsPerSecond, bytesPerSecond } = { ...this.version(version), ...limits }
    return this.decide({ type: 'rateSet', version, recordsPerSecond, bytesPerSecond, ...asked })
  }

  /** It goes on past a record, which is set aside as a dead letter. Errors: those of checkSkip. */
  async skip(version: number, record: Place, asked: Asked): Promise<VersionState> {
    const state = this.checkAlive(version)
    const sources = this.inspected.get(version)!.sources.map(({ name }) => name)
    checkSkip(this.world.log, { job: this.job, state, sources, positions: this.facts(version)?.positions }, record)
    await this.inTurn(() => this.decide({ type: 'skipped', version, ...record, ...asked }))
    return this.resume(version, asked)
  }

  /** Gives up a candidate, or the way back. Done again it does nothing. */
  async abort(version: number, asked: Asked): Promise<VersionState> {
    // Its cut-over has the turn, and ends at once.
    if (this.switching.to === version) this.switching.abort()
    await this.inTurn(async () => {
      const state = this.version(version)
      if (state.role === 'active')
        throw wrongState(this.job, state, 'it publishes', `reprise promote ${this.job} <another version>, or deploy one`)
      if (!alive(state)) return
      await this.decide({ type: state.role === 'standby' ? 'retired' : 'aborted', version, ...asked })
      this.point('retire.decided')
    })
    await this.actOn(version)
    return this.version(version)
  }

  /** Finishes all threads; what was decided goes on at the next start. */
  async close(): Promise<void> {
    this.over.abort()
    this.switching.abort()
    await this.loop
    await this.turn.catch(() => {})
    await Promise.all([this.threads.close(), this.actions.allDone()])
  }

  private async repeat(everyMs: number, work: () => Promise<void>): Promise<void> {
    while (!this.over.signal.aborted) {
      try {
        await work()
      } catch (error) {
        this.world.logger.error({ job: this.job, error }, 'the controller failed, and goes on')
      }
      await this.world.clock.sleep(everyMs, this.over.signal)
    }
  }

  private async lookAndAct(): Promise<void> {
    try {
      await this.lookAtAll()
      this.act()
    } finally {
      this.lookedAt = this.world.clock.now()
    }
  }

  private async lookAtAll(): Promise<void> {
    for (const version of this.readiness.lookedAt) {
      await this.readiness.look(version)
      const { role, caughtUpAt } = this.version(version)
      if (role === 'candidate' && caughtUpAt === undefined && this.readiness.caughtUp(version))
        await this.byItself(() => this.decide({ type: 'caughtUp', version }))
    }
  }

  /** Records a second a version is held back to for the one that publishes; null: it is not. */
  heldBackTo(version: number): number | null {
    return this.governor.heldBackTo(version)
  }

  /** Begins to carry out what was decided, and waits for none of it: a version that takes its time to end keeps no other one waiting. */
  private act(): void {
    if (!this.over.signal.aborted) this.actions.begin(this.due())
  }

  /** Carries out what was decided about a version, after what is being done about it already. */
  private async actOn(version: number): Promise<void> {
    await this.actions.done(version).catch(() => {})
    this.act()
    await this.actions.done(version)
  }

  /** What is to be done now. */
  private due(): Action[] {
    const { bakeMs, clock } = this.world
    const automatic = [...this.control.versions.values()].filter((state) => state.role === 'candidate' && state.automatic)
    const ready = automatic.map(({ version }) => version).filter((version) => this.switching.takesOver(version))
    return step({
      control: this.control,
      running: this.threads.running,
      cleaned: this.cleaned,
      ready,
      overdue: [...this.control.versions.keys()].filter((version) => this.readiness.overdue(version)),
      cuttingOver: this.switching.to !== undefined,
      now: clock.now(),
      bakeMs,
    })
  }

  private async carryOut(action: Action): Promise<void> {
    const { log, directory } = this.world
    switch (action.do) {
      case 'abortHold':
        return this.inTurn(async () => {
          if (this.control.hold?.id === action.id)
            await this.decide({ type: 'holdAborted', id: action.id, reason: 'the server was restarted' })
        })
      case 'start':
        return this.start(action.version)
      case 'stop':
        return this.threads.stop(action.version)
      case 'clean':
        await cleanVersion(log, directory, this.job, action.version, (name) => this.point(name))
        return void this.cleaned.add(action.version)
      case 'retire':
        return this.ifStillDue(action, async () => {
          await this.decide({ type: 'retired', version: action.version, reason: 'the time to go back to it is over' })
          this.point('retire.decided')
        })
      case 'expire':
        return this.ifStillDue(action, () => this.expire(action.version))
      case 'promote':
        // Not awaited: it may need a version that the next look starts.
        this.takeOver(action.version).catch((error: unknown) =>
          this.world.logger.warn(
            { job: this.job, version: `v${action.version}`, error },
            'a version did not take over by itself, and tries again',
          ),
        )
    }
  }

  /** When its turn comes, something else may have been decided, or asked for: the next look sees what is due then. */
  private ifStillDue(action: Action, decide: () => Promise<void>): Promise<void> {
    return this.byItself(async () => {
      const askedFor = this.switching.to !== undefined
      if (!askedFor && this.due().some((due) => isDeepStrictEqual(due, action))) await decide()
    })
  }

  private takeOver(version: number): Promise<unknown> {
    return this.switching.promote({ version, asked: { reason: 'deployed to take over by itself' } })
  }

  /** What the loop decides: not while a cut-over has the turn, which may need the loop to go on. The next look comes to it again. */
  private async byItself(decide: () => Promise<void>): Promise<void> {
    if (this.switching.to === undefined) await this.inTurn(decide)
  }

  private async expire(version: number): Promise<void> {
    const { recordsPerSecond, headPerSecond } = this.readiness.progress(version) ?? {}
    const perSecond = (rate: number | undefined) => (rate === undefined ? 'not known' : Math.round(rate))
    const { code, message } = new StreamError('CATCH_UP_OVERDUE', {
      deadlineSeconds: this.readiness.policy(version).deadlineMs! / 1000,
      takenPerSecond: perSecond(recordsPerSecond),
      comePerSecond: perSecond(headPerSecond),
      lag: this.readiness.observer(version).lag?.records ?? 'not known',
    })
    await this.decide({ type: 'stopped', version, code, reason: message })
  }

  private async start(version: number): Promise<void> {
    this.readiness.forget(version)
    this.governor.forget(version)
    await this.threads.start(this.version(version))
  }

  private ended(version: number, failure: ThreadFailure | undefined): void {
    const { logger, metrics } = this.world
    this.readiness.forget(version)
    if (failure === undefined) return logger.info({ job: this.job, version: `v${version}` }, 'version ended')
    const { code, message, record } = failure
    logger.error({ job: this.job, version: `v${version}`, code, reason: message }, 'version stopped')
    metrics.add('reprise_errors_total', { job: this.job, version: `v${version}`, code: knownCode(code) ?? 'VERSION_CRASHED' }, 1)
    this.inTurn(async () => {
      // What was given up meanwhile stops no more.
      if (alive(this.version(version))) await this.decide({ type: 'stopped', version, code, reason: message, record })
    }).catch((error: unknown) => logger.error({ job: this.job, error }, 'that a version stopped could not be recorded'))
  }

  private checkAlive(version: number): VersionState {
    const state = this.version(version)
    if (!alive(state)) throw wrongState(this.job, state, `it was ${state.role}`, 'deploy its code again')
    return state
  }

  /** Only in turn. */
  private async decide(event: DistributiveOmit<ControlEvent, 'at'>): Promise<void> {
    const { log, clock } = this.world
    const { board } = this.threads
    board.control = await decide(log, this.job, board.control, { at: clock.now(), ...event } as ControlEvent)
  }

  private point(name: ControlProbePoint): void {
    this.world.probe.at(name)
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.turn.catch(() => {}).then(work)
    this.turn = done
    return done
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never
