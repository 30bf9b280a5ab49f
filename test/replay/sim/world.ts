import { inspectJob } from '../../../deploy/server/inspected-job.ts'
import { type Seam, seamOf } from '../../../deploy/server/seam.ts'
import { codeOf, StreamError } from '../../../engine/errors.ts'
import { MemoryLog } from '../../../engine/log/memory/memory-log.ts'
import type { Log, Producer } from '../../../engine/ports/log.ts'
import { planJob } from '../../../engine/runtime/plan.ts'
import type { TaskFacts } from '../../../engine/runtime/steering.ts'
import type { RunUntil } from '../../../engine/runtime/task-life.ts'
import type { ControlEvent, CutOver } from '../../../replay/control-event.ts'
import { readEvents } from '../../../replay/control-log.ts'
import { alive, foldControl } from '../../../replay/control-state.ts'
import { CheckpointDisk } from '../../sim/checkpoints.ts'
import { Coverage } from '../../sim/coverage.ts'
import { Due } from '../../sim/due.ts'
import { blockOf } from '../../sim/feeder.ts'
import { JournalMonitor } from '../../sim/journal-monitor.ts'
import { LawBroken } from '../../sim/laws.ts'
import { Life, LifeLog } from '../../sim/life.ts'
import { MonitoredLog } from '../../sim/monitored-log.ts'
import { type Burst, startAt } from '../../sim/scenario.ts'
import { Scheduler, settle } from '../../sim/scheduler.ts'
import { FaultyLog, noFaults } from '../../support/faulty-log.ts'
import { Random } from '../../support/random.ts'
import { Leader, nobody, type Wish } from './leader.ts'
import { Links } from './links.ts'
import { checkTurns } from './outcome.ts'
import { type Needing, Retention } from './retention.ts'
import { type Act, drawTurns, rescue, type TurnsScenario } from './scenario.ts'
import type { Spec } from './specs.ts'
import { VersionLife, type VersionParts } from './version-life.ts'
import { checkHolds, VersionMonitor } from './version-monitor.ts'
import { WatchedLog } from './watched-log.ts'

export interface TurnsReport {
  /** Hash over all that happened. */
  readonly trace: string
  readonly steps: number
  readonly coverage: Coverage
}

const stepsMax = 40_000
const outputs = ['rows']

/** Versions of one job take turns in the world of a seed; checks the laws and what is public in the end. Throws what was wrong. */
export async function takeTurns(seed: number): Promise<TurnsReport> {
  const world = new TurnsWorld(drawTurns(seed))
  try {
    return await world.run()
  } catch (error) {
    throw new Error(`${world.describe()}\nlast events:\n  ${world.scheduler.recent.slice(-40).join('\n  ')}`, { cause: error })
  }
}

/** The one command that repeats a world. */
export const againWith = (seed: number): string => `seed ${seed}: SIM_SEED=${seed} npx vitest run test/replay/cut-over.property.test.ts`

class TurnsWorld {
  readonly scheduler: Scheduler
  private scenario: TurnsScenario
  private readonly job: string
  private readonly coverage = new Coverage()
  private readonly random: Random
  private readonly deafness: Random
  private readonly log: MemoryLog
  private readonly monitor: VersionMonitor
  private readonly monitors = new Map<number, JournalMonitor>()
  private readonly parts = new Map<number, VersionParts>()
  /** Newest last. */
  private readonly lives: VersionLife[] = []
  private readonly leaders: Leader[] = []
  private readonly links: Links
  private readonly holdBounds = new Map<string, number>()
  private readonly reached = new Map<string, number>()
  private readonly retention: Retention
  private readonly appendTimes = new Map<number, number>()
  private processes = 0
  private calm = false
  private feeder: Producer | undefined = undefined
  private fed = 0
  /** What failed where nobody waited. */
  private failure: { readonly error: unknown } | undefined = undefined

  constructor(scenario: TurnsScenario) {
    this.scenario = scenario
    const { seed, topologies, links } = scenario
    this.job = topologies[0]!.job
    this.random = new Random(seed ^ 0x5bd1e995)
    this.deafness = new Random(seed ^ 0x7f4a7c15)
    this.scheduler = new Scheduler(new Random(seed ^ 0x2545f491), startAt, true)
    this.log = new MemoryLog({ clock: this.scheduler })
    this.monitor = new VersionMonitor(this.log, this.coverage)
    this.retention = new Retention(this.log, this.monitor, this.coverage, scenario.sources)
    this.links = new Links(this.scheduler, new Random(seed ^ 0x1b873593), links, this.coverage)
  }

  async run(): Promise<TurnsReport> {
    const { scenario, scheduler, coverage, log, monitor } = this
    coverage.count(`job ${scenario.kind}`)
    const retained = scenario.retentionMs === undefined ? {} : { retentionMs: scenario.retentionMs }
    for (const [name, partitions] of Object.entries(scenario.partitions))
      await log.createTopic({ name, partitions, kind: 'stream', ...retained })
    const first = this.lead()
    await this.until(() => {
      if (monitor.control.owner === undefined && first.asked === 0 && !first.life.dead)
        first.ask({ do: 'deploy', version: 1, parallelism: scenario.parallelism })
      return monitor.control.owner === 1
    })
    // Input comes all the while.
    const { acts, bursts } = scenario
    for (const [i, { after, act }] of acts.entries()) {
      await this.feed(Math.floor((bursts.length * i) / acts.length))
      await this.steps(after)
      this.carryOut(act)
      // Else what comes next comes in the midst of it.
      if (act.do === 'promote' && this.random.chance(0.7)) await this.quiet(400)
    }
    await this.feed(bursts.length)
    await this.steps(this.random.int(200))
    await this.end()
    if (scenario.retentionMs !== undefined) this.retention.end()
    const events = await readEvents(log, this.job)
    const foreign = (event: ControlEvent) => event.type === 'holdAborted' && event.reason === nobody
    coverage.count('holds within their bound', checkHolds(events, this.holdBounds, foreign))
    await checkTurns({ log, scenario: this.scenario, job: this.job, cuts: monitor.cuts, coverage, appendTimes: this.appendTimes })
    this.checkSeams(events)
    return { trace: scheduler.trace(), steps: scheduler.steps, coverage }
  }

  describe(): string {
    const { kind, parallelism, partitions, acts, points, failing } = this.scenario
    return `${JSON.stringify({ kind, parallelism, partitions, acts, points, failing: [...failing] })}\n  ${this.monitor.standing()}`
  }

  /** No more faults: who publishes takes all there is, and is told that no more comes. */
  private async end(): Promise<void> {
    const { monitor, scheduler, coverage } = this
    this.calm = true
    this.links.calm()
    for (const { life } of [...this.lives, ...this.leaders]) life.kill(this.random.chance(0.5) ? 'lost' : 'arrives')
    const leader = this.lead()
    await this.until(() => this.started(leader) && monitor.control.hold === undefined)
    let asked = scheduler.monotonic()
    await this.until(() => {
      const { owner } = monitor.control
      const { health } = monitor.control.versions.get(owner!)!
      if (health !== 'stopped' && monitor.caughtUp(owner!)) return true
      // It stopped at a record: another one takes over.
      if (health === 'stopped' && leader.asked === 0 && scheduler.monotonic() > asked) {
        asked = scheduler.monotonic() + 100
        const able = [...monitor.control.versions.values()].find((state) => alive(state) && !this.scenario.failing.has(state.version))
        if (able === undefined) leader.ask({ do: 'deploy', version: rescue, parallelism: this.scenario.parallelism })
        // One that stopped takes nothing, so it can't come to where the owner stands.
        else if (able.health === 'stopped') leader.ask({ do: 'resume', version: able.version })
        else leader.ask({ do: 'promote', version: able.version, back: false })
      }
      return false
    })
    const settled = () => leader.asked === 0 && monitor.control.hold === undefined && this.started(leader)
    await this.until(settled)
    const owner = monitor.control.owner!
    await this.dueComesOut(this.parts.get(owner)!)
    // The hold that a dead leader asked for may have come meanwhile: who publishes is to be told of its end.
    await this.until(settled)
    // Nor does anything of the dead arrive any more.
    for (const { life } of [...this.lives, ...this.leaders]) life.kill('lost')
    const last = this.live(owner, leader, 'complete')
    await this.until(() => last.over)
    if (last.error !== undefined) throw last.error
    coverage.count('input complete')
  }

  /** Nobody has said that no more input comes, and what is due is public all the same. */
  private async dueComesOut({ version, topology, parallelism }: VersionParts): Promise<void> {
    const { log, job, monitor, scenario } = this
    const plan = planJob(topology, version, parallelism, (topic) => log.topic(topic)!.partitions)
    const due = new Due(scenario.job ?? { ...scenario.specs[version - 1]!, idleAfterMs: undefined }, scenario.input, plan, this.random)
    if (due.despite.length === 0) return
    const coverage = new Coverage()
    await due.comesOut({
      feed: (burst) => {
        this.scenario = { ...scenario, input: due.input }
        return this.append(burst)
      },
      steps: (count) => this.steps(count),
      over: () => false,
      check: () =>
        checkTurns({ log, scenario: this.scenario, job, cuts: monitor.cuts, coverage, appendTimes: this.appendTimes, dueBy: due.by }),
    })
    if (!coverage.counts.get('rows told exactly')) return
    for (const quiet of due.despite) this.coverage.count(`due while ${quiet}`)
  }

  /** Whether a leader knows all that was decided, and what should run does. */
  private started({ control }: Leader): boolean {
    if (control.events < this.monitor.control.events) return false
    return [...control.versions.values()].every((state) => !alive(state) || state.health === 'stopped' || this.running().has(state.version))
  }

  private carryOut(act: Act): void {
    this.scheduler.note(JSON.stringify(act))
    switch (act.do) {
      case 'kill, commits lost':
      case 'kill, commits arrive':
      case 'zombie':
        return this.strike(act.version, act.do)
      case 'leader killed':
        return this.leaderEnds(this.leaders.at(-1)!, false)
      case 'second leader':
        return this.leaderEnds(this.leaders.at(-1)!, true)
      case 'promote':
        return this.ask({ ...act, version: this.another(act.version) })
      default:
        return this.ask(act)
    }
  }

  /** The version, or one that does not publish. */
  private another(version: number): number {
    const { owner, versions } = this.monitor.control
    if (version !== owner) return version
    return [...versions.values()].find((state) => alive(state) && state.version !== owner)?.version ?? version
  }

  /** A life that is followed by another goes on, cut off from its disk; the leader starts the next one of a version that has none. */
  private strike(version: number, how: 'kill, commits lost' | 'kill, commits arrive' | 'zombie'): void {
    const struck = this.lifeOf(version)
    if (struck === undefined) return
    this.coverage.count(`version ${how}`)
    if (version === this.monitor.control.owner) this.coverage.count(`owner ${how}`)
    if (this.monitor.control.hold !== undefined) this.coverage.count(`in a hold: ${how}`)
    if (how === 'zombie') struck.life.cutOff()
    else struck.life.kill(how === 'kill, commits lost' ? 'lost' : 'arrives')
  }

  private leaderEnds(leader: Leader, goesOn: boolean): void {
    if (leader.life.dead) return
    this.coverage.count(goesOn ? 'second leader' : 'leader killed')
    if (!goesOn) leader.life.kill(this.random.chance(0.5) ? 'lost' : 'arrives')
    else void this.endLater(leader)
    this.lead()
  }

  /** Two that lead abort each other's holds: not for ever. */
  private async endLater({ life }: Leader): Promise<void> {
    for (let turns = 2 + this.random.int(20); turns > 0; turns--) await this.scheduler.arrival('second leader')
    if (!life.dead) life.kill(this.random.chance(0.5) ? 'lost' : 'arrives')
  }

  private lead(): Leader {
    const { job, links, coverage, scenario } = this
    const life = new Life(this.scheduler, ++this.processes)
    const leader: Leader = new Leader({
      life,
      log: this.logOf(life, undefined),
      job,
      outputs,
      holdMs: scenario.holdMs,
      probe: { at: (name) => this.passed(leader, name) },
      running: () => this.running(),
      start: (version) => void (this.running().has(version) || this.live(version, leader, 'stopped')),
      stop: (version) => this.lifeOf(version)?.stop.abort(),
      clean: (version, by) => this.clean(version, by),
      seam: (from, to) => this.seam(from, to),
      tell: (version, message) => {
        if (life.dead) return
        for (const each of this.lives) if (each.version === version) if (!each.over) links.send(() => each.hear(message))
      },
      count: (what) => coverage.count(what),
      failed: (error) => this.fail(error),
    })
    this.leaders.push(leader)
    leader.run().catch((error: unknown) => this.fail(error))
    return leader
  }

  /** A named step of a leader: by the scenario it ends there, or another one begins while it goes on. */
  private passed(leader: Leader, name: string): void {
    const nth = (this.reached.get(name) ?? 0) + 1
    this.reached.set(name, nth)
    this.coverage.count(`step ${name}`)
    const { hold } = leader.control
    // It waits so long from here on; the hold was asked for a commit ago.
    if (name === 'cut-over.hold-requested') this.holdBounds.set(hold!.id, this.scheduler.now() - hold!.at + leader.holdMs)
    const point = this.scenario.points.find((each) => each.name === name && each.nth === nth)
    if (point === undefined || this.calm) return
    this.coverage.count(`${point.zombie ? 'second leader' : 'leader killed'} at ${name}`)
    this.leaderEnds(leader, point.zombie)
  }

  private live(version: number, leader: Leader, until: RunUntil): VersionLife {
    const { scenario, random, links, coverage } = this
    const life = new Life(this.scheduler, ++this.processes)
    const parts = this.partsOf(version, leader)
    const log = this.logOf(life, version)
    const view = this.viewOf(leader)
    const deafUntil = view === leader.control ? 0 : this.scheduler.steps + this.deafness.int(400)
    const world = {
      life,
      log,
      hears: () => this.calm || this.scheduler.steps >= deafUntil,
      random,
      settings: scenario.settings,
      memoryBytesMax: scenario.memoryBytesMax,
      tell: (message: Parameters<Leader['hear']>[1]) => {
        if (life.dead) return
        for (const each of this.leaders) if (!each.life.dead) links.send(() => each.hear(version, message))
      },
    }
    const facts = [...leader.control.versions.keys()].flatMap((other) =>
      [...leader.board.tasksOf(other)].map((known): [number, TaskFacts] => [other, known]),
    )
    const begun = new VersionLife(parts, world, view, facts)
    this.lives.push(begun)
    this.scheduler.note(`begin ${life.number}: v${version}`)
    coverage.count('version life')
    begun.begin(until)
    return begun
  }

  /** What a life begins with: as the leader knows it, or as it was some time ago. */
  private viewOf(leader: Leader) {
    if (this.calm || !this.random.chance(this.scenario.staleRate)) return leader.control
    this.coverage.count('life with an old view')
    return foldControl(this.events.slice(0, this.random.int(this.events.length + 1)))
  }

  private get events(): readonly ControlEvent[] {
    return this.monitor.events
  }

  private partsOf(version: number, leader: Leader): VersionParts {
    const known = this.parts.get(version)
    if (known !== undefined) return known
    const topology = this.scenario.topologies[version - 1]!
    const { parallelism } = leader.control.versions.get(version)!
    const plan = planJob(topology, version, parallelism, (topic) => this.log.topic(topic)!.partitions)
    const disks = new Map(plan.tasks.map(({ id }) => [id, new CheckpointDisk()]))
    const monitor = new JournalMonitor(this.scenario.settings, this.coverage)
    monitor.plan = plan
    this.monitors.set(version, monitor)
    this.monitor.add(plan, outputs)
    const parts = { version, topology, parallelism, disks }
    this.parts.set(version, parts)
    this.coverage.count(`parallelism ${parallelism}`)
    return parts
  }

  /** @param version undefined: of a leader. */
  private logOf(life: Life, version: number | undefined): Log {
    const monitor = version === undefined ? new JournalMonitor(this.scenario.settings, this.coverage) : this.monitors.get(version)!
    const watched = new WatchedLog(this.log, this.monitor)
    const rates = this.calm ? noFaults : this.scenario.faults
    const faulty = new FaultyLog(version === undefined ? watched : new MonitoredLog(watched, monitor), {
      seed: this.scenario.seed + life.number * 7919,
      rates,
      pause: async () => {},
    })
    return new LifeLog(faulty, life, monitor)
  }

  private async clean(version: number, leader: Leader): Promise<void> {
    const log = this.logOf(leader.life, undefined)
    const own = `${this.job}.v${version}.`
    for (const { name } of log.topics()) if (name.startsWith(own)) await log.deleteTopic(name)
    for (const { store } of this.parts.get(version)?.disks.values() ?? []) store.files.clear()
    this.monitors.get(version)?.forget()
    this.monitor.forget(version)
    this.passed(leader, 'retire.topics-deleted')
    await leader.life.alive()
    for (let task = 0; log.producerEnd(`${own}task-${task}`) !== undefined; task++) {
      const { id, epoch } = await log.producer(`${own}task-${task}`)
      await log.forgetProducer(id, epoch)
    }
    this.coverage.count('version cleaned')
    this.passed(leader, 'retire.removed')
    await leader.life.alive()
  }

  private seam(from: number, to: number): Seam {
    const inspected = (version: number) => inspectJob(this.scenario.topologies[version - 1]!, String(version))
    return seamOf(inspected(from), inspected(to))
  }

  /** A seam is announced exactly where the two versions differ, but for windows of which the last ended together. */
  private checkSeams(events: readonly ControlEvent[]): void {
    for (const event of events) {
      if (event.type !== 'cutOver') continue
      const [old, next] = [event.from, event.to].map((version) => this.scenario.specs[version - 1])
      const together = endTogether(old, next, event)
      if (together) this.coverage.count('cut-over of changed windows at a common end')
      if ((event.seam === undefined) !== (together || timeOf(old) === timeOf(next)))
        throw new LawBroken('announced seam', `v${event.from} to v${event.to}: ${JSON.stringify(event.seam)}`)
    }
  }

  /** Versions with a life that nobody has replaced. */
  private running(): ReadonlySet<number> {
    return new Set(this.lives.filter((each) => !each.over && !each.life.zombie).map(({ version }) => version))
  }

  private lifeOf(version: number): VersionLife | undefined {
    return this.lives.findLast((each) => each.version === version && !each.over && !each.life.zombie)
  }

  private ask(wish: Wish): void {
    const able = this.leaders.filter(({ life }) => !life.dead)
    const asked = this.random.chance(0.8) ? able.at(-1)! : able[this.random.int(able.length)]!
    asked.ask(wish)
  }

  /** Appends so many of the pieces the input comes in. */
  private async feed(upTo: number): Promise<void> {
    while (this.fed < upTo) {
      await this.append(this.scenario.bursts[this.fed]!)
      await this.steps(this.random.int(this.random.chance(0.3) ? 60 : 10))
    }
  }

  /** While whoever leads knows all that was decided. */
  private retain(): void {
    const { control } = this.monitor
    const leader = this.leaders.at(-1)!
    if (leader.life.dead || leader.control.events < control.events) return
    const able = [...control.versions.values()].some((state) => alive(state) && !this.scenario.failing.has(state.version))
    const deployed = this.scenario.acts.flatMap(({ act }) => (act.do === 'deploy' ? [act.version] : []))
    const toCome = [1, ...deployed, ...(able ? [] : [rescue])].filter((version) => !control.versions.has(version))
    const now = this.scheduler.now()
    const needing: Needing[] = [
      ...toCome.map((version) => ({ version, state: 'to come', keepsInput: false }) as const),
      ...[...control.versions.values()].filter(alive).map(({ version, health }) => {
        const life = this.lifeOf(version)
        const living = life === undefined ? 'between lives' : this.monitor.caughtUp(version) ? 'level' : 'replaying'
        return { version, state: health === 'stopped' ? 'stopped' : living, keepsInput: life?.keepsInput ?? false } as const
      }),
    ]
    this.retention.run(now, needing)
    const { input, retentionMs } = this.scenario
    const old = Object.entries(input).some(([topic, lists]) =>
      lists.some((records, partition) => {
        const oldest = records[this.log.bounds(topic, partition).start]
        return oldest !== undefined && this.appendTimes.get(oldest.id)! < now - retentionMs!
      }),
    )
    if (old) for (const { state } of needing) this.coverage.count(`old input kept, a version ${state}`)
  }

  private async append({ topic, partition, records }: Burst): Promise<void> {
    this.feeder ??= await this.log.producer('feeder')
    const expect = { seq: this.fed, hash: '' }
    const appends = [{ topic, partition, block: blockOf(records) }]
    const { appendTime } = await this.feeder.commit({ expect, next: { seq: ++this.fed, hash: '' }, appends })
    for (const { id } of records) this.appendTimes.set(id, appendTime)
  }

  /** Until the newest leader has done what it was asked for, but not longer than so many steps. */
  private async quiet(stepsMost: number): Promise<void> {
    const last = this.scheduler.steps + stepsMost
    await this.until(() => this.scheduler.steps >= last || this.leaders.at(-1)!.asked === 0)
  }

  private async steps(count: number): Promise<void> {
    const last = this.scheduler.steps + count
    await this.until(() => this.scheduler.steps >= last)
  }

  private fail(error: unknown): void {
    this.failure ??= { error }
  }

  private async until(over: () => boolean): Promise<void> {
    const last = this.scheduler.steps + stepsMax
    await settle()
    while (!over()) {
      if (this.scheduler.steps > last) throw new LawBroken('liveness', `not over after ${stepsMax} steps`)
      await this.step()
    }
  }

  private async step(): Promise<void> {
    if (!(await this.scheduler.step())) throw new LawBroken('liveness', 'nothing is under way, and it is not over')
    if (this.monitor.broken !== undefined) throw this.monitor.broken
    for (const { broken } of this.monitors.values()) if (broken !== undefined) throw broken
    if (this.failure !== undefined) throw this.failure.error
    for (const each of this.lives) this.checkEnd(each)
    if (this.scenario.retentionMs !== undefined && this.scheduler.steps % 7 === 0) this.retain()
  }

  /** A life may end only by being replaced, by a record its version can't take, or because its version is gone. */
  private checkEnd({ life, version, error }: VersionLife): void {
    if (error === undefined || life.dead) return
    const code = codeOf(error)
    const inputGone = error instanceof StreamError && this.scenario.sources.includes(String(error.details.topic))
    const replaced = code === 'COMMIT_FENCED' || (code === 'OFFSET_OUT_OF_RANGE' && (life.zombie || !inputGone))
    const failed = code === 'OPERATOR_THREW' || (error instanceof Error && error.message.includes('more than this version can take'))
    const { role } = this.monitor.control.versions.get(version)!
    // Its topics go before its producers do.
    const gone = (role === 'aborted' || role === 'retired') && (code === 'TOPIC_UNKNOWN' || code === 'LOG_CORRUPT')
    if (replaced) this.coverage.count(`replaced life refused`)
    else if (failed) this.coverage.count('version failed at a record')
    else if (!gone) throw error
    // It is told of once.
    life.kill('lost')
  }
}

/** Other windows, of one result each, and none of either has ended since the last that ended in both. */
function endTogether(old: Spec | undefined, next: Spec | undefined, { watermark, processing }: CutOver): boolean {
  if (old === undefined || next === undefined || timeOf(old) === timeOf(next)) return false
  const oneResult = [old, next].every(
    ({ kind, allowedLatenessMs }) =>
      ['tumbling', 'sliding', 'allowed lateness', 'processing time'].includes(kind) && allowedLatenessMs === 0,
  )
  if (!oneResult || old.outOfOrdernessMs !== next.outOfOrdernessMs) return false
  const time = old.kind === 'processing time' ? processing : (watermark ?? Number.NEGATIVE_INFINITY)
  if (!Number.isFinite(time)) return true
  const lasts = [old, next].map(({ slideMs }) => time - (((time % slideMs) + slideMs) % slideMs))
  return lasts[0] === lasts[1]
}

/** How a version cuts time, as text; versions with equal logic cut it alike. */
function timeOf(spec: Spec | undefined): string {
  if (spec === undefined) return ''
  const { kind, outOfOrdernessMs, sizeMs, slideMs, allowedLatenessMs } = spec
  return JSON.stringify(
    kind === 'process' || kind === 'stateless' ? [outOfOrdernessMs] : [outOfOrdernessMs, sizeMs, slideMs, allowedLatenessMs],
  )
}
