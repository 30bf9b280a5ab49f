import { StreamError, codeOf } from '../../engine/errors.ts'
import { MemoryLog } from '../../engine/log/memory/memory-log.ts'
import type { Totals } from '../../engine/model/slice.ts'
import type { Log } from '../../engine/ports/log.ts'
import { noMetrics, noProbe, silentLogger } from '../../engine/ports/world.ts'
import { runJob } from '../../engine/runtime/job-run.ts'
import { planJob } from '../../engine/runtime/plan.ts'
import type { RunUntil } from '../../engine/runtime/task-life.ts'
import { noPresent } from '../../engine/task/present.ts'
import { openTaskState } from '../../state/task-state.ts'
import { FaultyLog, noFaults } from '../support/faulty-log.ts'
import { Random } from '../support/random.ts'
import { CheckpointDisk } from './checkpoints.ts'
import { Coverage } from './coverage.ts'
import { Feeder } from './feeder.ts'
import { JournalMonitor } from './journal-monitor.ts'
import { checkOutcome, LawBroken } from './laws.ts'
import { Life, LifeLog } from './life.ts'
import { MonitoredLog } from './monitored-log.ts'
import { drawScenario, type LifePlan, type Scenario, startAt } from './scenario.ts'
import { Scheduler, settle } from './scheduler.ts'

export interface SimReport {
  /** Hash over all that happened. */
  readonly trace: string
  readonly steps: number
  readonly coverage: Coverage
}

/** A run that broke a law, or ended in another way than it may. */
export class SimFailure extends Error {
  constructor(seed: number, scenario: string, recent: readonly string[], cause: unknown) {
    const tail = recent.slice(-40).join('\n  ')
    super(
      `seed ${seed} (${scenario}): ${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}\n` +
        `again: SIM_SEED=${seed} npx vitest run test/sim/simulation.test.ts\nlast events:\n  ${tail}`,
      { cause },
    )
    this.name = 'SimFailure'
  }
}

interface Running {
  readonly life: Life
  readonly stop: AbortController
  readonly crash: AbortController
  outcome: { readonly totals: Totals } | { readonly error: unknown } | undefined
}

class Crashed extends Error {}

const stepsMax = 60_000

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
  private readonly scenario: Scenario
  private readonly coverage = new Coverage()
  private readonly random: Random
  private readonly monitor: JournalMonitor
  private readonly log: Log
  private readonly faulty: FaultyLog
  private readonly feeder: Feeder
  private readonly disks = new Map<number, CheckpointDisk>()
  private readonly zombies: Running[] = []
  private lives = 0
  /** What failed where nobody waited. */
  private failure: { error: unknown } | undefined = undefined

  constructor(scenario: Scenario) {
    this.scenario = scenario
    const { seed, settings, faults, bursts } = scenario
    this.random = new Random(seed ^ 0x5bd1e995)
    this.scheduler = new Scheduler(new Random(seed ^ 0x2545f491), startAt)
    this.monitor = new JournalMonitor(settings, this.coverage)
    this.log = new MemoryLog({ clock: this.scheduler })
    this.faulty = new FaultyLog(new MonitoredLog(this.log, this.monitor), { seed: seed ^ 0x1234567, rates: noFaults, pause: async () => {} })
    this.faulty.rates = faults
    this.feeder = new Feeder(bursts)
  }

  async run(): Promise<SimReport> {
    const { scenario, scheduler, coverage, monitor } = this
    coverage.count(`job ${scenario.job.kind}`)
    coverage.count(`parallelism ${scenario.parallelism}`)
    for (const [name, partitions] of Object.entries(scenario.partitions)) await this.log.createTopic({ name, partitions, kind: 'stream' })
    monitor.plan = planJob(scenario.job.topology, 1, scenario.parallelism, (topic) => scenario.partitions[topic]!)
    for (const plan of scenario.lives) await this.live(plan, 'stopped')
    await this.feed()
    for (const plan of scenario.endings) await this.live(plan, 'complete')
    const totals = await this.complete()
    for (const { life } of this.zombies) life.kill('lost')
    coverage.count('faults', this.faulty.faults)
    await checkOutcome({ log: this.log, scenario, plan: monitor.plan, totals, coverage })
    scheduler.note(JSON.stringify(totals))
    return { trace: scheduler.trace(), steps: scheduler.steps, coverage }
  }

  /** One process from its beginning to its planned end. */
  private async live(plan: LifePlan, until: RunUntil): Promise<void> {
    const running = this.begin(until)
    const last = this.scheduler.steps + plan.steps
    while (running.outcome === undefined && this.scheduler.steps < last) await this.step()
    if (running.outcome !== undefined) {
      this.throwError(running)
      running.life.kill('lost')
      return
    }
    this.scheduler.note(`${plan.end} ${running.life.number}`)
    this.coverage.count(plan.end)
    switch (plan.end) {
      case 'kill, commits arrive':
      case 'kill, commits lost':
        running.life.kill(plan.end === 'kill, commits lost' ? 'lost' : 'arrives')
        return
      case 'zombie':
        running.life.zombie = true
        this.zombies.push(running)
        return
      case 'crash signal':
        running.crash.abort(new Crashed('crashed'))
        await this.ended(running)
        if (!(errorOf(running) instanceof Crashed)) this.throwError(running)
        running.life.kill('lost')
        return
      case 'clean stop':
        running.stop.abort()
        await this.ended(running)
        this.throwError(running)
        running.life.kill('lost')
    }
  }

  /** A process that lives until all input has arrived. */
  private async feed(): Promise<void> {
    if (this.feeder.done) return
    const running = this.begin('stopped')
    const failed = () => {
      this.throwError(running)
      return this.feeder.done
    }
    await this.until(failed)
    const more = this.scheduler.steps + this.random.int(200)
    await this.until(() => failed() && this.scheduler.steps >= more)
    running.life.kill(this.random.chance(0.5) ? 'lost' : 'arrives')
  }

  private async complete(): Promise<Totals> {
    const running = this.begin('complete')
    await this.until(() => running.outcome !== undefined)
    const outcome = running.outcome!
    if ('error' in outcome) throw outcome.error
    return outcome.totals
  }

  private begin(until: RunUntil): Running {
    const { scenario, scheduler, random } = this
    const life = new Life(scheduler, ++this.lives)
    const log = new LifeLog(this.faulty, life, this.monitor)
    const running: Running = { life, stop: new AbortController(), crash: new AbortController(), outcome: undefined }
    scheduler.note(`begin ${life.number} until ${until}`)
    const done = runJob({
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
      probe: { at: (point) => this.coverage.count(`probe ${point}`) },
      settings: scenario.settings,
      until,
      stop: running.stop.signal,
      crash: running.crash.signal,
    })
    done.then(
      (totals) => {
        running.outcome = { totals }
      },
      (error: unknown) => {
        running.outcome = { error }
      },
    )
    this.feeder.run(log, life).catch((error: unknown) => {
      this.failure ??= { error }
    })
    return running
  }

  private ended(running: Running): Promise<void> {
    return this.until(() => running.outcome !== undefined)
  }

  private throwError(running: Running): void {
    if (running.outcome !== undefined && 'error' in running.outcome) throw running.outcome.error
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
  return JSON.stringify({ job: job.kind, parallelism, partitions, lives: [...lives, ...endings].map(({ end, steps }) => `${end} after ${steps}`), settings })
}
