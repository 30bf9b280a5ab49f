import { isDeepStrictEqual } from 'node:util'
import { knownCode, StreamError } from '../../engine/errors.ts'
import type { EpochMs } from '../../engine/model/record.ts'
import type { Probe } from '../../engine/ports/world.ts'
import type { JobBundle } from '../../engine/runtime/load-job.ts'
import type { CatchUpPolicy } from '../../replay/catch-up.ts'
import { readControl } from '../../replay/control-log.ts'
import { alive, type ControlState, type VersionState } from '../../replay/control-state.ts'
import { type Action, step } from '../../replay/controller.ts'
import type { ControlProbePoint } from '../../replay/probe-points.ts'
import { checkOutputs, type Writer } from '../output-owner.ts'
import { ActionRunner } from './action-runner.ts'
import { cleanVersion } from './clean-version.ts'
import { Decisions } from './decisions.ts'
import type { InspectedJob } from './inspected-job.ts'
import { leftPositions } from './left-positions.ts'
import { Readiness } from './readiness.ts'
import { governEveryMs, ReplayGovernor } from './replay-governor.ts'
import { Switching } from './switching.ts'
import type { VersionHost } from './version-host.ts'
import type { ThreadFailure } from './version-messages.ts'
import { type ThreadsWorld, VersionThreads } from './version-threads.ts'
import { VersionVerbs } from './version-verbs.ts'

export interface ControllerWorld extends ThreadsWorld {
  /** What can be known of a bundle without running its functions. */
  readonly inspect: (bundle: JobBundle) => Promise<InspectedJob>
  /** All jobs. */
  readonly writers: () => Iterable<Writer>
  readonly policy: CatchUpPolicy
  /** How long a version that published before runs on. */
  readonly bakeMs: number
  /** How long a cut-over may hold the owner. */
  readonly holdMs: number
  readonly probe: Probe
}

const lookEveryMs = 500

/**
 * Leads one job: what was asked for becomes events of its control log, and what the log says is carried out.
 * Owns: the job's control log, the threads of its versions.
 */
export class JobController {
  readonly job: string
  /** By version; of those that were alive when the server started, and later ones. */
  readonly inspected: Map<number, InspectedJob>
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
  private readonly decisions: Decisions
  /** What can be asked for. */
  readonly verbs: VersionVerbs
  private readonly over = new AbortController()
  private loop: Promise<unknown> = Promise.resolve()

  /** @param onLed told of it BEFORE it does anything. Errors: those of `inspect`; OUTPUT_OWNED when another job has come to write what this one writes. */
  static async open(job: string, world: ControllerWorld, onLed: (controller: JobController) => void = () => {}): Promise<JobController> {
    const control = await readControl(world.log, job)
    const inspected = new Map<number, InspectedJob>()
    for (const state of control.versions.values()) {
      if (alive(state)) inspected.set(state.version, await world.inspect(await world.bundles.get(state.sha256)))
    }
    // L6: between looking at who writes its outputs and saying that it does nothing awaits. What others may write that can't be led was its own before.
    const led = [...world.writers()].filter(({ unled }) => unled === undefined)
    for (const { outputs } of inspected.values()) checkOutputs(outputs, job, led)
    // Not before: of a job that can't be led nothing goes on.
    const controller = new JobController(job, world, inspected)
    controller.threads.board.control = control
    onLed(controller)
    controller.loop = Promise.all([
      controller.repeat(lookEveryMs, () => controller.lookAndAct()),
      controller.repeat(governEveryMs, async () => controller.governor.look()),
    ])
    return controller
  }

  private constructor(job: string, world: ControllerWorld, inspected: Map<number, InspectedJob>) {
    this.job = job
    this.inspected = inspected
    this.world = world
    this.lookedAt = world.clock.now()
    this.threads = new VersionThreads(
      job,
      world,
      (version, failure) => this.ended(version, failure),
      (version) => this.inspected.get(version)?.sources.map(({ name }) => name) ?? [],
    )
    this.decisions = new Decisions({ job, log: world.log, clock: world.clock, board: this.threads.board })
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
        inTurn: (work) => this.decisions.inTurn(work),
      },
      world,
    )
    this.verbs = new VersionVerbs({
      job,
      log: world.log,
      decisions: this.decisions,
      inspected: this.inspected,
      switching: this.switching,
      writers: world.writers,
      control: () => this.control,
      version: (version) => this.version(version),
      positions: (version) => this.facts(version)?.positions,
      carriedOut: (version) => this.actOn(version),
      point: (name) => this.point(name),
    })
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

  /** Public output topics of its versions that are alive, and of one that is being recorded, each once. */
  get outputs(): string[] {
    const { versions } = this.control
    const gone = (version: number) => versions.has(version) && !alive(versions.get(version)!)
    return [...new Set([...this.inspected].flatMap(([version, { outputs }]) => (gone(version) ? [] : outputs.map(({ name }) => name))))]
  }

  /** Whether the topic is one of its outputs. */
  writes(topic: string): boolean {
    return this.outputs.includes(topic)
  }

  /** Whether it reads the topic and was told that no more comes, which a run without a server may have said. */
  seals(topic: string): boolean {
    return this.control.sealed?.includes(topic) === true
  }

  /** Public output topics. VERSION_UNKNOWN; VERSION_STATE when nothing is left of it. */
  outputsOf(version: number): string[] {
    return this.inspected.get(this.verbs.alive(version).version)!.outputs.map(({ name }) => name)
  }

  /** The version that published before the one that does now, if it still runs. */
  get wayBack(): VersionState | undefined {
    const standbys = [...this.control.versions.values()].filter(({ role }) => role === 'standby')
    return standbys.sort((a, b) => a.roleSince - b.roleSince).at(-1)
  }

  /** Finishes all threads; what was decided goes on at the next start. */
  async close(): Promise<void> {
    this.over.abort()
    const ended = this.switching.abort('the server stops')
    await this.loop
    await ended
    await this.decisions.settled()
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
      // What was decided before does not wait until it is read where versions stand that stopped.
      this.act()
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
        await this.byItself(() => this.decisions.write({ type: 'caughtUp', version }))
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
    const askedFor = this.switching.to !== undefined
    const automatic = [...this.control.versions.values()].filter((state) => state.role === 'candidate' && state.automatic && !askedFor)
    const ready = automatic.map(({ version }) => version).filter((version) => this.switching.takesOver(version))
    return step({
      control: this.control,
      running: this.threads.running,
      cleaned: this.cleaned,
      ready,
      overdue: [...this.control.versions.keys()].filter((version) => this.readiness.overdue(version)),
      cuttingOver: this.switching.attempting,
      now: clock.now(),
      bakeMs,
    })
  }

  private async carryOut(action: Action): Promise<void> {
    const { log, directory } = this.world
    switch (action.do) {
      case 'abortHold':
        return this.decisions.inTurn(async () => {
          if (this.control.hold?.id === action.id)
            await this.decisions.write({ type: 'holdAborted', id: action.id, reason: 'the server was restarted' })
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
          await this.decisions.write({ type: 'retired', version: action.version, reason: 'the time to go back to it is over' })
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
  private ifStillDue(action: Extract<Action, { version: number }>, decide: () => Promise<void>): Promise<void> {
    return this.byItself(async () => {
      const askedFor = this.switching.to === action.version
      if (!askedFor && this.due().some((due) => isDeepStrictEqual(due, action))) await decide()
    })
  }

  private takeOver(version: number): Promise<unknown> {
    return this.switching.promote({ version, asked: { reason: 'deployed to take over by itself' } })
  }

  /** What the loop decides: not while a cut-over has the turn, which may need the loop to go on. The next look comes to it again. */
  private async byItself(decide: () => Promise<void>): Promise<void> {
    if (!this.switching.attempting) await this.decisions.inTurn(decide)
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
    await this.decisions.write({ type: 'stopped', version, code, reason: message })
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
    this.decisions
      .inTurn(async () => {
        const state = this.version(version)
        // What was given up meanwhile stops no more; what came back for a hold, and failed again, has stopped already.
        if (alive(state) && !(state.health === 'stopped' && state.code === code))
          await this.decisions.write({ type: 'stopped', version, code, reason: message, record })
      })
      .catch((error: unknown) => logger.error({ job: this.job, error }, 'that a version stopped could not be recorded'))
  }

  private point(name: ControlProbePoint): void {
    this.world.probe.at(name)
  }
}
