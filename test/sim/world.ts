import { codeOf, StreamError } from '../../engine/errors.ts'
import type { Totals } from '../../engine/model/slice.ts'
import type { Log } from '../../engine/ports/log.ts'
import { noMetrics, noProbe, silentLogger } from '../../engine/ports/world.ts'
import { runJob } from '../../engine/runtime/job-run.ts'
import { planJob } from '../../engine/runtime/plan.ts'
import type { RunUntil } from '../../engine/runtime/task-life.ts'
import { noPresent } from '../../engine/task/present.ts'
import { openTaskState } from '../../state/task-state.ts'
import { FaultyLog } from '../support/faulty-log.ts'
import { Random } from '../support/random.ts'
import { CheckpointDisk } from './checkpoints.ts'
import { Coverage } from './coverage.ts'
import { Due } from './due.ts'
import { Feeder } from './feeder.ts'
import { JournalMonitor } from './journal-monitor.ts'
import { checkGiven, checkOutcome, LawBroken } from './laws.ts'
import { Life, LifeLog, type Sent } from './life.ts'
import { EmbeddedHost, type LogHost, MemoryHost } from './log-host.ts'
import { MonitoredLog } from './monitored-log.ts'
import { drawScenario, type LifePlan, type Scenario, startAt } from './scenario.ts'
import { Scheduler, settle } from './scheduler.ts'

export interface SimReport {
  /** Hash over all that happened. */
  readonly trace: string
  readonly steps: number
  readonly coverage: Coverage
}

/** The one command that repeats a run. */
export const againWith = (seed: number): string => `again: SIM_SEED=${seed} npx vitest run test/sim/simulation.test.ts`

/** A run that broke a law, or ended in another way than it may. */
export class SimFailure extends Error {
  constructor(seed: number, scenario: string, recent: readonly string[], cause: unknown) {
    const tail = recent.slice(-40).join('\n  ')
    super(
      `seed ${seed} (${scenario}): ${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}\n` +
        `${againWith(seed)}\nlast events:\n  ${tail}`,
      { cause },
    )
    this.name = 'SimFailure'
  }
}

interface Running {
  readonly life: Life
  readonly stop: AbortController
  readonly crash: AbortController
  log: Log | undefined
  outcome: { readonly totals: Totals } | { readonly error: unknown } | undefined
}

class Crashed extends Error {}

const stepsMax = 60_000

/** Errors of a close on a disk that fails. */
const hurt = new Set<string | undefined>(['DISK_FULL', 'COMMIT_OUTCOME_UNKNOWN'])

/** Runs the world of a seed to its end and checks the laws. Throws SimFailure. */
export async function simulate(seed: number): Promise<SimReport> {
  const scenario = drawScenario(seed)
  const world = new World(scenario)
  try {
    return await world.run()
  } catch (error) {
    throw new SimFailure(seed, describe(scenario), world.scheduler.recent, error)
  }
}

class World {
  readonly scheduler: Scheduler
  private scenario: Scenario
  private readonly coverage = new Coverage()
  private readonly random: Random
  private readonly monitor: JournalMonitor
  private readonly host: LogHost
  private readonly feeder: Feeder
  private readonly disks = new Map<number, CheckpointDisk>()
  private readonly zombies: Running[] = []
  private lives = 0
  private empty = 0
  private newest: Log | undefined = undefined
  /** What failed where nobody waited. */
  private failure: { error: unknown } | undefined = undefined

  constructor(scenario: Scenario) {
    if (process.env.SIM_MEMORY !== undefined) scenario = { ...scenario, disk: undefined }
    this.scenario = scenario
    const { seed, settings, bursts, disk } = scenario
    this.random = new Random(seed ^ 0x5bd1e995)
    this.scheduler = new Scheduler(new Random(seed ^ 0x2545f491), startAt)
    this.monitor = new JournalMonitor(settings, this.coverage)
    this.host = disk === undefined ? new MemoryHost(this.scheduler) : new EmbeddedHost(seed, this.random, { ...disk }, this.coverage)
    this.feeder = new Feeder(bursts)
  }

  async run(): Promise<SimReport> {
    const { scheduler, coverage, monitor } = this
    const { scenario } = this
    coverage.count(`job ${scenario.job.kind}`)
    coverage.count(`parallelism ${scenario.parallelism}`)
    coverage.count(scenario.disk === undefined ? 'memory log' : 'embedded log')
    monitor.plan = planJob(scenario.job.topology, 1, scenario.parallelism, (topic) => scenario.partitions[topic]!)
    try {
      for (const plan of scenario.lives) await this.live(plan, 'stopped')
      while (!this.feeder.done) await this.feed()
      for (const plan of scenario.endings) await this.live(plan, 'complete')
      const { totals, log } = await this.complete()
      for (const { life } of this.zombies) life.kill('lost')
      await checkOutcome({ log, scenario: this.scenario, plan: monitor.plan, coverage }, totals)
      scheduler.note(JSON.stringify(totals))
      coverage.count('outcome checked')
    } catch (error) {
      // L12: damage is told of; then nothing more is promised.
      if (!this.host.rotten || codeOf(error) !== 'LOG_CORRUPT') throw error
      coverage.count('corruption reported')
      scheduler.note(String(error))
    }
    return { trace: scheduler.trace(), steps: scheduler.steps, coverage }
  }

  /** One process from its beginning to its planned end. */
  private async live(plan: LifePlan, until: RunUntil): Promise<void> {
    const running = this.begin(until)
    const last = this.scheduler.steps + plan.steps
    await this.until(() => running.life.dead || running.outcome !== undefined || this.scheduler.steps >= last)
    this.throwError(running)
    if (running.life.dead || running.outcome !== undefined) return this.bury(running, 'lost')
    this.scheduler.note(`${plan.end} ${running.life.number}`)
    this.coverage.count(plan.end)
    switch (plan.end) {
      case 'kill, commits arrive':
        return this.bury(running, 'arrives')
      case 'kill, commits lost':
        return this.bury(running, 'lost')
      case 'zombie':
        running.life.zombie = true
        this.zombies.push(running)
        return
      case 'crash signal':
        running.crash.abort(new Crashed('crashed'))
        await this.ended(running)
        if (!(errorOf(running) instanceof Crashed)) this.throwError(running)
        return this.bury(running, 'lost')
      case 'clean stop':
        running.stop.abort()
        await this.ended(running)
        this.throwError(running)
        await this.close(running)
        return this.bury(running, 'lost', true)
    }
  }

  /** A process that lives until all input has arrived. */
  private async feed(): Promise<void> {
    const running = this.begin('stopped')
    const over = () => {
      this.throwError(running)
      return this.feeder.done || running.life.dead
    }
    await this.until(over)
    await this.dueComesOut(running, () => over() && running.life.dead)
    const more = this.scheduler.steps + this.random.int(200)
    await this.until(() => (over() && running.life.dead) || this.scheduler.steps >= more)
    this.bury(running, this.random.chance(0.5) ? 'lost' : 'arrives')
  }

  /** Nobody has said that no more input comes, and what is due is out all the same. */
  private async dueComesOut(running: Running, over: () => boolean): Promise<void> {
    const { job, input } = this.scenario
    const plan = this.monitor.plan!
    const due = new Due(job, input, plan, this.random)
    if (due.despite.length === 0) return
    const coverage = new Coverage()
    await this.until(() => over() || running.log !== undefined)
    const { life, log } = running
    if (life.dead) return
    await due.comesOut({
      feed: async (burst) => {
        this.scenario = { ...this.scenario, input: due.input }
        this.feeder.add(burst)
        this.feedFrom(log!, life)
        await this.until(() => over() || this.feeder.done)
      },
      steps: async (count) => {
        const last = this.scheduler.steps + count
        await this.until(() => over() || this.scheduler.steps >= last)
      },
      over: () => life.dead,
      check: async () => void (await checkGiven({ log: log!, scenario: this.scenario, plan, coverage }, due.by)),
    })
    if (!coverage.counts.get('rows told exactly')) return
    for (const quiet of due.despite) this.coverage.count(`due while ${quiet}`)
  }

  /** The last process, and others before it where the disk ends them. */
  private async complete(): Promise<{ totals: Totals; log: Log }> {
    for (let attempts = 1; ; attempts++) {
      if (attempts > 3 && this.host instanceof EmbeddedHost) this.host.calm()
      const running = this.begin('complete')
      await this.ended(running)
      this.throwError(running)
      if (running.outcome !== undefined && 'totals' in running.outcome && !running.life.dead) {
        return { totals: running.outcome.totals, log: running.log! }
      }
      this.bury(running, 'lost')
    }
  }

  private bury({ life }: Running, sent: Sent, cleanly = false): void {
    life.kill(sent)
    this.host.died(cleanly)
    if (!this.scenario.checkpointFaults) return
    for (const disk of this.disks.values())
      if (this.random.chance(0.3) && disk.damage(this.random)) this.coverage.count('checkpoint damaged')
  }

  private async close(running: Running): Promise<void> {
    const { host } = this
    if (!(host instanceof EmbeddedHost) || this.random.chance(0.3)) return
    let over = false
    running.log!.close().then(
      () => {
        over = true
      },
      (error: unknown) => {
        // The last frame found no room, or a disk that does not sync: what was acknowledged stands before it.
        if (!hurt.has(codeOf(error)) || !host.faulty) this.failure ??= { error }
        over = true
      },
    )
    await this.until(() => over || running.life.dead)
  }

  private begin(until: RunUntil): Running {
    const { scheduler } = this
    const life = new Life(scheduler, ++this.lives)
    const running: Running = { life, stop: new AbortController(), crash: new AbortController(), log: undefined, outcome: undefined }
    scheduler.note(`begin ${life.number} until ${until}`)
    this.runProcess(running, until).then(
      (totals) => {
        running.outcome = { totals }
      },
      (error: unknown) => {
        running.outcome = { error }
      },
    )
    return running
  }

  private async runProcess(running: Running, until: RunUntil): Promise<Totals> {
    const { scenario, random, monitor, coverage } = this
    const { life } = running
    const opened = await this.host.open(life)
    running.log = opened
    this.newest = opened
    for (const [name, partitions] of Object.entries(scenario.partitions)) await opened.createTopic({ name, partitions, kind: 'stream' })
    const faulty = new FaultyLog(new MonitoredLog(opened, monitor), {
      seed: scenario.seed + life.number * 7919,
      rates: scenario.faults,
      pause: async () => {},
    })
    const log = new LifeLog(faulty, life, monitor)
    this.feedFrom(log, life)
    const totals = await runJob({
      load: () => ({ topology: scenario.job.topology, present: noPresent() }),
      version: 1,
      parallelism: scenario.parallelism,
      log,
      openState: async (plan, job) => {
        const disk = this.disks.get(plan.id) ?? new CheckpointDisk()
        this.disks.set(plan.id, disk)
        return openTaskState({
          task: { job: job.topology.job, version: 1, task: plan.id, fingerprint: '', semantics: 1 },
          checkpoints: disk.mount(life, random),
          spill: null,
          settings: { memoryBytesMax: scenario.memoryBytesMax },
          clock: life.clock,
          logger: silentLogger,
          metrics: noMetrics,
          probe: noProbe,
        })
      },
      clock: life.clock,
      logger: silentLogger,
      metrics: noMetrics,
      probe: { at: (point) => coverage.count(`probe ${point}`) },
      settings: scenario.settings,
      until,
      stop: running.stop.signal,
      crash: running.crash.signal,
    })
    coverage.count('faults', faulty.faults)
    return totals
  }

  private feedFrom(log: Log, life: Life): void {
    this.feeder.run(log, life).catch((error: unknown) => {
      this.failure ??= { error }
    })
  }

  private ended(running: Running): Promise<void> {
    return this.until(() => running.outcome !== undefined || running.life.dead)
  }

  private throwError(running: Running): void {
    // A dead process tells nothing.
    if (running.life.dead) return
    const code = codeOf(errorOf(running))
    if (this.host instanceof EmbeddedHost && (code === 'DISK_FULL' || code === 'LOG_UNAVAILABLE') && this.host.faulty) {
      // The process ends with this; the next one finds space, or a disk that syncs.
      this.coverage.count(`process ended by ${code}`)
      running.life.kill('lost')
      return
    }
    if (running.outcome !== undefined && 'error' in running.outcome) throw running.outcome.error
  }

  private async until(over: () => boolean): Promise<void> {
    const last = this.scheduler.steps + stepsMax
    await settle()
    while (!over()) {
      if (this.scheduler.steps > last)
        throw new LawBroken(
          'liveness',
          `not over after ${stepsMax} steps\n  ${this.newest === undefined ? '' : this.monitor.standing(this.newest)}`,
        )
      await this.step()
    }
  }

  /** Nothing under way twice in a row: what was resolved last had its turn. */
  private stuck(): boolean {
    this.empty++
    return this.empty > 2
  }

  private async step(): Promise<void> {
    if (!(await this.scheduler.step()) && this.stuck()) throw new LawBroken('liveness', 'nothing is under way, and it is not over')
    if (this.monitor.broken !== undefined) throw this.monitor.broken
    if (this.failure !== undefined) throw this.failure.error
    for (const { outcome } of this.zombies) {
      if (outcome !== undefined && 'error' in outcome && !zombieMayEndBy(outcome.error)) throw outcome.error
    }
  }
}

function errorOf({ outcome }: Running): unknown {
  return outcome !== undefined && 'error' in outcome ? outcome.error : undefined
}

/** A process that was replaced is refused, or finds gone what the new one let go of. */
function zombieMayEndBy(error: unknown): boolean {
  return error instanceof StreamError && (codeOf(error) === 'COMMIT_FENCED' || codeOf(error) === 'OFFSET_OUT_OF_RANGE')
}

function describe({ job, parallelism, partitions, lives, endings, settings }: Scenario): string {
  return JSON.stringify({
    job: job.kind,
    parallelism,
    partitions,
    lives: [...lives, ...endings].map(({ end, steps }) => `${end} after ${steps}`),
    settings,
  })
}
