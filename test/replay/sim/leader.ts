import type { Seam } from '../../../deploy/server/seam.ts'
import { codeOf } from '../../../engine/errors.ts'
import type { Log } from '../../../engine/ports/log.ts'
import type { Probe } from '../../../engine/ports/world.ts'
import type { ControlEvent } from '../../../replay/control-event.ts'
import { controlTopic, decide, readControl } from '../../../replay/control-log.ts'
import { alive, type ControlState } from '../../../replay/control-state.ts'
import { type Action, step } from '../../../replay/controller.ts'
import { cutOver, holdLimit } from '../../../replay/cut-over.ts'
import { VersionBoard } from '../../../replay/version-board.ts'
import type { Life } from '../../sim/life.ts'
import type { FromVersion, ToVersion } from './version-life.ts'

/** What an operator asks a leader for. */
export type Wish =
  | { readonly do: 'deploy'; readonly version: number; readonly parallelism: number }
  /** `back`: and straight back again. */
  | { readonly do: 'promote'; readonly version: number; readonly back: boolean }
  | { readonly do: 'giveUp'; readonly version: number }
  | { readonly do: 'resume'; readonly version: number }

export interface LeaderWorld {
  readonly life: Life
  /** As this life reaches it. */
  readonly log: Log
  readonly job: string
  readonly outputs: readonly string[]
  readonly holdMs: number
  readonly probe: Probe
  running(): ReadonlySet<number>
  start(version: number, leader: Leader): void
  stop(version: number): void
  /** Removes what a version had that is alive no more. */
  clean(version: number, leader: Leader): Promise<void>
  /** In which words two versions differ. */
  seam(from: number, to: number): Seam
  tell(version: number, message: ToVersion): void
  count(what: string): void
  failed(error: unknown): void
}

/** Why a hold is aborted whose leader is gone. */
export const nobody = 'nobody carries it out'

const tickMs = 20
const recoveryMs = 3000

/**
 * One life of whoever leads a job: it carries out what the control log says, and decides what it is asked for. Others may lead at the same
 * time and not know of it: whoever finds that somebody else has decided reads the log anew.
 */
export class Leader {
  readonly life: Life
  readonly board: VersionBoard
  private readonly world: LeaderWorld
  private readonly cleaned = new Set<number>()
  /** Of the cut-over that is under way: how long it may hold the owner. */
  holdMs = 0
  private cuttingOver = false
  private turn: Promise<unknown> = Promise.resolve()
  /** Asked for and not done yet. */
  asked = 0

  constructor(world: LeaderWorld) {
    this.world = world
    this.life = world.life
    this.board = new VersionBoard((control) => this.tellAll(control))
  }

  get control(): ControlState {
    return this.board.control
  }

  async run(): Promise<void> {
    await this.mended(() => this.readAnew())
    for (let tick = 0; ; tick++) {
      await this.mended(() => this.act())
      // What was told, or said before this one began to lead, may have been lost.
      if (tick % 10 === 1) this.tellAll(this.control)
      if (tick % 30 === 1) this.greetAll()
      await this.life.clock.sleep(tickMs)
    }
  }

  hear(version: number, message: FromVersion): void {
    if (this.life.dead) return
    if (message.kind === 'stopped') {
      const { code, message: reason } = message
      void this.mended(() => this.inTurn(() => this.stopped(version, code, reason)))
      return
    }
    this.board.learn(version, message.facts)
    if (version !== this.control.owner) return
    for (const other of this.control.versions.keys()) {
      if (other !== version) this.world.tell(other, { kind: 'facts', version, facts: message.facts })
    }
  }

  ask(wish: Wish): void {
    this.asked++
    void this.mended(() => this.inTurn(() => this.grant(wish))).finally(() => this.asked--)
  }

  private async stopped(version: number, code: string, reason: string): Promise<void> {
    const state = this.control.versions.get(version)
    // The word of a life that another has followed says nothing of that one.
    if (state === undefined || state.health === 'stopped' || !alive(state) || this.world.running().has(version)) return
    await this.decide({ type: 'stopped', at: this.now(), version, code, reason })
    this.world.count('version stopped')
  }

  private async grant(wish: Wish): Promise<void> {
    const { version } = wish
    const state = this.control.versions.get(version)
    if (wish.do === 'deploy') {
      if (state !== undefined) return
      const { parallelism } = wish
      await this.decide({ type: 'registered', at: this.now(), version, sha256: String(version), parallelism, fingerprint: '' })
      this.world.probe.at('deploy.registered')
      return
    }
    if (state === undefined || !alive(state)) return
    if (wish.do === 'resume') {
      if (state.health === 'stopped') await this.decide({ type: 'resumed', at: this.now(), version })
    } else if (wish.do === 'giveUp') {
      if (state.role === 'active') return
      await this.decide({ type: state.role === 'standby' ? 'retired' : 'aborted', at: this.now(), version })
      this.world.probe.at('retire.decided')
    } else {
      const { owner } = this.control
      if (owner === version) return
      await this.promote(version)
      if (wish.back && owner !== undefined) {
        this.world.count('rollback straight after')
        await this.promote(owner)
      }
    }
  }

  private async promote(to: number): Promise<void> {
    const { life, log, probe, job, outputs } = this.world
    const owner = this.control.owner!
    const holdMs = holdLimit(this.control, this.world.running().has(owner), { holdMs: this.world.holdMs, recoveryMs })
    this.holdMs = holdMs
    this.cuttingOver = true
    try {
      const { differs: seam, changedWindows } = this.world.seam(owner, to)
      const request = { to, holdMs, seam, changedWindows, anywhere: true }
      const { seam: announced } = await cutOver({ log, clock: life.clock, probe, board: this.board, job, outputs }, request)
      this.world.count(announced === undefined ? 'cut-over' : 'cut-over with a seam')
      if (this.control.versions.get(owner)!.health === 'stopped') this.world.count('taken over from a version that stopped')
    } finally {
      this.cuttingOver = false
    }
  }

  private async act(): Promise<void> {
    // Another leader's decision may have come after this one read the log, even the last one of a leader that is dead.
    if (this.decided > this.control.events && !this.cuttingOver) await this.inTurn(() => this.readAnew())
    const { cleaned, cuttingOver, control } = this
    const facts = { control, running: this.world.running(), cleaned, ready: [], overdue: [], cuttingOver, now: this.now(), bakeMs: 1e9 }
    for (const action of step(facts)) await this.carryOut(action)
  }

  private async carryOut(action: Action): Promise<void> {
    switch (action.do) {
      case 'abortHold':
        return this.inTurn(async () => {
          if (this.control.hold?.id !== action.id || this.cuttingOver) return
          await this.decide({ type: 'holdAborted', at: this.now(), id: action.id, reason: nobody })
          this.world.count('hold of another leader aborted')
        })
      case 'start':
        return this.world.start(action.version, this)
      case 'stop':
        return this.world.stop(action.version)
      case 'clean':
        await this.world.clean(action.version, this)
        return void this.cleaned.add(action.version)
      case 'retire':
      case 'promote':
      case 'expire':
    }
  }

  /** Does the work; where somebody else has decided, or nobody knows what became of a decision, the log is read anew. */
  private async mended(work: () => Promise<unknown>): Promise<void> {
    try {
      await work()
    } catch (error) {
      const code = codeOf(error) ?? ''
      if (code === 'CUT_OVER_ABORTED') return this.world.count('cut-over aborted')
      if (!['COMMIT_CONFLICT', 'COMMIT_FENCED', 'COMMIT_OUTCOME_UNKNOWN', 'LOG_UNAVAILABLE'].includes(code)) return this.world.failed(error)
      this.world.count(`leader ${code}`)
      await this.life.clock.sleep(1)
      await this.mended(() => this.inTurn(() => this.readAnew()))
    }
  }

  private get decided(): number {
    const topic = controlTopic(this.world.job)
    return this.world.log.topic(topic) === undefined ? 0 : this.world.log.bounds(topic, 0).end
  }

  private async readAnew(): Promise<void> {
    this.board.control = await readControl(this.world.log, this.world.job)
  }

  private async decide(event: ControlEvent): Promise<void> {
    this.board.control = await decide(this.world.log, this.world.job, this.control, event)
  }

  private tellAll(control: ControlState): void {
    const { owner: publishing } = control
    const owner = publishing === undefined ? [] : [...this.board.tasksOf(publishing)]
    for (const version of control.versions.keys()) this.world.tell(version, { kind: 'control', control, owner })
  }

  private greetAll(): void {
    for (const version of this.control.versions.keys()) this.world.tell(version, { kind: 'hello' })
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.turn.catch(() => {}).then(work)
    this.turn = done
    return done
  }

  private now(): number {
    return this.life.clock.now()
  }
}
