import { ManualClock } from '../../deploy/testing/manual-clock.ts'
import { BlockBuilder } from '../../engine/block/block-builder.ts'
import { codeOf } from '../../engine/errors.ts'
import { MemoryLog } from '../../engine/log/memory/memory-log.ts'
import type { LogRecord } from '../../engine/model/record.ts'
import type { Totals } from '../../engine/model/slice.ts'
import type { Topology } from '../../engine/model/topology.ts'
import { noMetrics, noProbe, silentLogger } from '../../engine/ports/world.ts'
import { runJob } from '../../engine/runtime/job-run.ts'
import { jobTopics } from '../../engine/runtime/plan.ts'
import { defaultRuntimeSettings, type RuntimeSettings } from '../../engine/runtime/settings.ts'
import type { RunUntil } from '../../engine/runtime/task-life.ts'
import { noPresent } from '../../engine/task/present.ts'
import { decide } from '../../replay/control-log.ts'
import { cutOver } from '../../replay/cut-over.ts'
import { VersionBoard } from '../../replay/version-board.ts'
import { MemoryCheckpointStore } from '../../state/memory-checkpoint-store.ts'
import { openTaskState } from '../../state/task-state.ts'
import { recordsOf } from '../sim/log-records.ts'

interface Running {
  readonly stop: AbortController
  readonly crash: AbortController
  readonly done: Promise<Totals>
}

/** Several versions of one job over one log in memory, each a task of its own. Time moves only when it is told to. */
export class VersionsWorld {
  readonly clock = new ManualClock(1_000_000_000)
  readonly board = new VersionBoard()
  readonly log = new MemoryLog({ clock: this.clock })
  private readonly job: string
  private readonly settings: RuntimeSettings
  private readonly outputs: readonly string[]
  private readonly running = new Map<number, Running>()
  private readonly topologies = new Map<number, Topology>()
  private readonly checkpoints = new Map<number, MemoryCheckpointStore>()
  private sent = 0

  constructor(job: string, outputs: readonly string[], settings: Partial<RuntimeSettings> = {}) {
    this.job = job
    this.outputs = outputs
    this.settings = { ...defaultRuntimeSettings, strict: true, ...settings }
  }

  async createSources(partitions: Readonly<Record<string, number>>): Promise<void> {
    for (const [name, count] of Object.entries(partitions)) await this.log.createTopic({ name, partitions: count, kind: 'stream' })
  }

  async deploy(version: number, topology: Topology): Promise<void> {
    this.topologies.set(version, topology)
    this.board.control = await decide(this.log, this.job, this.board.control, {
      type: 'registered',
      at: this.clock.now(),
      version,
      sha256: String(version),
      parallelism: 1,
      fingerprint: '',
    })
    this.start(version)
  }

  async send(topic: string, partition: number, values: readonly object[]): Promise<void> {
    const builder = new BlockBuilder()
    for (const value of values) builder.add({ key: null, value: Buffer.from(JSON.stringify(value)), eventTime: 0 })
    await this.append(topic, partition, builder.finish())
  }

  async append(topic: string, partition: number, block: Uint8Array): Promise<void> {
    const producer = await this.log.producer(`feeder-${this.sent++}`)
    await producer.commit({
      expect: { seq: 0, hash: '' },
      next: { seq: 1, hash: '' },
      appends: [{ topic, partition, block }],
    })
  }

  /** @returns whether it took place. Time goes on meanwhile. */
  async cutOver(to: number): Promise<boolean> {
    const { log, clock, board, job, outputs } = this
    let done = false
    const outcome = cutOver({ log, clock, board, job, outputs }, to, 500)
      .then(
        () => true,
        (error: unknown) => {
          if (codeOf(error) !== 'CUT_OVER_ABORTED') throw error
          return false
        },
      )
      .finally(() => {
        done = true
      })
    for (let turn = 1; !done; turn++) {
      await clock.yield()
      if (turn % 20 === 0) clock.advance(1)
      clock.wakeAll()
    }
    return outcome
  }

  /** The version's task dies and begins anew. */
  async crash(version: number): Promise<void> {
    const { crash, done } = this.running.get(version)!
    crash.abort(new Error('crash'))
    await Promise.allSettled([done])
    this.start(version)
  }

  /** A few turns of all that is going on. */
  async turns(count: number): Promise<void> {
    for (let i = 0; i < count; i++) await this.clock.yield()
  }

  /** Until nothing is going on any more. */
  async settle(): Promise<void> {
    let seen = -1
    for (let quiet = 0; quiet < 12; ) {
      await this.clock.yield()
      this.clock.wakeAll()
      quiet = this.log.changes() === seen ? quiet + 1 : 0
      seen = this.log.changes()
    }
  }

  /** Values of a topic, in order of partition and offset. */
  async values(topic: string): Promise<unknown[]> {
    return (await this.records(topic)).map(({ value }) => JSON.parse(Buffer.from(value!).toString()))
  }

  records(topic: string): Promise<LogRecord[]> {
    return recordsOf(this.log, topic)
  }

  privateValues(version: number, topic: string): Promise<unknown[]> {
    return this.values(jobTopics(this.job, version).privately(topic))
  }

  async close(): Promise<void> {
    for (const { stop } of this.running.values()) stop.abort()
    for (const { done } of this.running.values()) await done
    await this.log.close()
  }

  /** No more input comes: the version that publishes gives what is open; the others stop before. */
  async complete(): Promise<Totals> {
    await this.settle()
    const { owner } = this.board.control
    for (const { stop } of this.running.values()) stop.abort()
    for (const { done } of this.running.values()) await done
    this.start(owner!, 'complete')
    const timer = setInterval(() => this.clock.wakeAll(), 1)
    try {
      return await this.running.get(owner!)!.done
    } finally {
      clearInterval(timer)
    }
  }

  private start(version: number, until: RunUntil = 'stopped'): void {
    const stop = new AbortController()
    const crash = new AbortController()
    const checkpoints = this.checkpoints.get(version) ?? new MemoryCheckpointStore()
    this.checkpoints.set(version, checkpoints)
    const done = runJob({
      load: () => ({ topology: this.topologies.get(version)!, present: noPresent() }),
      version,
      parallelism: 1,
      steering: this.board.steering(version),
      log: this.log,
      openState: () =>
        Promise.resolve(
          openTaskState({
            task: { job: this.job, version, task: 0, fingerprint: '', semantics: 1 },
            checkpoints,
            spill: null,
            settings: { memoryBytesMax: 64 << 20 },
            clock: this.clock,
            logger: silentLogger,
            metrics: noMetrics,
            probe: noProbe,
          }),
        ),
      clock: this.clock,
      logger: silentLogger,
      metrics: noMetrics,
      probe: noProbe,
      settings: this.settings,
      until,
      stop: stop.signal,
      crash: crash.signal,
    })
    done.catch(() => {})
    this.running.set(version, { stop, crash, done })
  }
}
