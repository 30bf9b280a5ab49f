import { assert } from '../assert.ts'
import { codeOf, StreamError } from '../errors.ts'
import type { JournalRecord, Slice, Totals } from '../model/slice.ts'
import type { Log, Producer } from '../ports/log.ts'
import type { TaskState } from '../ports/state.ts'
import type { Clock, Logger, Metrics, Probe } from '../ports/world.ts'
import type { Present } from '../task/present.ts'
import { Task } from '../task/task.ts'
import { JournalWriter } from './journal-codec.ts'
import { type JobPlan, type TaskPlan, taskName } from './plan.ts'
import { readJournal, rerun, restorePoint } from './recover.ts'
import type { RuntimeSettings } from './settings.ts'
import { SliceChooser } from './slice-chooser.ts'
import { SliceMetrics } from './slice-metrics.ts'
import type { SliceSize } from './slice-size.ts'
import type { Steering } from './steering.ts'
import { tellGauges } from './task-gauges.ts'
import { TaskInputs } from './task-inputs.ts'
import type { TimeBoard } from './time-board.ts'
import { Trimmer } from './trimmer.ts'
import type { VersionGauges } from './version-gauges.ts'

/** When a task's work is over: never; at the end of the log; there, with no more input to come. */
export type RunUntil = 'stopped' | 'end' | 'complete'

export interface TaskWorld {
  readonly log: Log
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
  readonly probe: Probe
  readonly settings: RuntimeSettings
  /** How far each source task has come in event time, so that none runs far ahead of the others. */
  readonly drift: TimeBoard
  /** When each task has something due by processing time: whoever reads sources tells those behind it that the time has come. */
  readonly due: TimeBoard
  readonly gauges: VersionGauges
  readonly steering: Steering
  readonly until: RunUntil
  /** Stop cleanly: finish the slice, commit, checkpoint. */
  readonly stop: AbortSignal
  /** Stop at once, as a crash would: no commit, no checkpoint. Tests and the second signal. */
  readonly crash?: AbortSignal
  /** Told when a task has nothing to do but to wait, with the count of log changes it has seen. */
  readonly onWait?: (task: number, seen: number) => void
  /** Told of a task's totals after each acknowledged slice. */
  readonly onProgress?: (task: number, totals: Totals) => void
  /** Whether all tasks this one reads exchanges of have ended. */
  upstreamEnded(): boolean
  /** @param read whether this task has read its sources to their ends. @returns whether all tasks have. */
  allRead(read: boolean): boolean
}

const gaugesEveryMs = 1000

interface InFlight {
  readonly seq: number
  readonly done: Promise<void>
}

/**
 * One life of a task: from taking its identity to a clean end or a failure; after a failure everything of it is thrown away.
 * The only place that awaits between slices.
 * Invariants: I1 a slice is run only while fewer than `commitsInFlightMax` commits are under way; I2 commits are sent in slice order, each naming
 * the end it builds on; I3 nothing is acknowledged to the state before the log has; I4 no slice is run after a failed commit.
 */
export class TaskLife {
  /** The last slice the log has for sure. */
  acknowledged: number
  private readonly task: Task
  private readonly world: TaskWorld
  private readonly job: JobPlan
  private readonly plan: TaskPlan
  private readonly state: TaskState
  private readonly producer: Producer
  private readonly inputs: TaskInputs
  private readonly trimmer: Trimmer
  private readonly metrics: SliceMetrics
  private readonly journal = new JournalWriter()
  private readonly inFlight: InFlight[] = []
  private failure: { error: unknown } | undefined = undefined
  private checkpointedAt: number
  private checkpointedSeq: number
  private gaugesAt = Number.NEGATIVE_INFINITY
  private readonly chooser: SliceChooser
  private readonly size: SliceSize

  /** Recovers: fence, newest confirmed checkpoint, journal after it run again. */
  static async begin(
    job: JobPlan,
    plan: TaskPlan,
    world: TaskWorld,
    state: TaskState,
    present: Present,
    size: SliceSize,
  ): Promise<TaskLife> {
    const { log, probe, settings, clock } = world
    const from = clock.monotonic()
    const where = { job: job.topology.job, version: job.version, task: plan.id }
    const producer = await log.producer(taskName(job.topology.job, job.version, plan.id))
    probe.at('recover.fenced')
    const journal = await readJournal(log, job.topics.journal, plan.id)
    const { point, after } = await restorePoint(state, journal, producer.end, where)
    probe.at('recover.restored')
    const task = new Task(job, plan, {
      state,
      present,
      settings: { outputsMax: settings.outputsMax, node: process.version, strict: settings.strict ?? false },
      partitionsOf: (topic) => partitionsOf(log, topic),
    })
    task.open(point)
    const inputs = new TaskInputs(log, plan.inputs, task.feeds, settings)
    try {
      await rerun(task, inputs, after, probe, where)
    } catch (error) {
      await inputs.close()
      throw error
    }
    assert(task.seq === producer.end.seq, 'recovery did not reach the journal end')
    probe.at('recover.done')
    world.logger.info({ slice: task.seq, checkpoint: point?.seq ?? 0, rerun: after.length }, 'task recovered')
    const life = new TaskLife(job, plan, world, state, producer, task, inputs, size, point?.seq ?? 0, journal.at(-1)?.record)
    life.metrics.recovered(clock.monotonic() - from)
    return life
  }

  private constructor(
    job: JobPlan,
    plan: TaskPlan,
    world: TaskWorld,
    state: TaskState,
    producer: Producer,
    task: Task,
    inputs: TaskInputs,
    size: SliceSize,
    checkpointedSeq: number,
    last: JournalRecord | undefined,
  ) {
    this.job = job
    this.plan = plan
    this.world = world
    this.state = state
    this.producer = producer
    this.task = task
    this.inputs = inputs
    this.size = size
    this.chooser = new SliceChooser({ task, plan, tasks: job.tasks.length, inputs, world, size, last })
    this.metrics = new SliceMetrics(world.metrics, { job: job.topology.job, version: `v${job.version}` }, task.totals, plan.inputs)
    this.trimmer = new Trimmer(world.log, job, plan, inputs)
    this.checkpointedAt = world.clock.monotonic()
    // Not `task.seq`: what was run again since the checkpoint is in none yet.
    this.checkpointedSeq = checkpointedSeq
    this.acknowledged = task.seq
    state.acknowledged(task.seq)
    world.steering.report?.(plan.id, this.chooser.facts())
  }

  /** Runs slices until it is stopped or its work is over, then checkpoints. Throws what ended this life. */
  async run(): Promise<void> {
    while (!this.world.stop.aborted) {
      this.throwFailure()
      this.world.crash?.throwIfAborted()
      const seen = this.world.log.changes()
      // Before the ends are looked at: see Log.clock.
      const now = this.world.log.clock()
      await this.inputs.ready()
      const slice = this.chooser.next(now)
      this.world.due.post(this.plan.id, this.task.nextProcessingDue())
      this.gaugesWhenDue()
      if (slice === undefined) {
        if (this.chooser.ended()) break
        await this.wait(seen)
        continue
      }
      await this.room()
      if (this.failure !== undefined) break
      this.commit(slice)
      this.checkpointWhenDue()
      this.state.step(this.world.settings.stepMs)
      this.lookAtCheckpoint()
      await this.trimmer.trim(this.state.published)
      await this.world.clock.yield()
    }
    this.world.drift.post(this.plan.id, Number.POSITIVE_INFINITY)
    await this.allAcknowledged()
    await this.lastCheckpoint()
  }

  /** Gives everything back; safe after a failure. */
  async close(): Promise<void> {
    this.world.drift.post(this.plan.id, Number.POSITIVE_INFINITY)
    await Promise.allSettled(this.inFlight.map(({ done }) => done))
    await this.inputs.close()
    await this.state.close()
  }

  private commit(slice: Slice): void {
    const { task, job, plan, world, chooser } = this
    const { orders } = chooser
    const expect = { seq: task.seq, hash: task.hash }
    // Before it is run: what was taken is buffered no more.
    if (world.steering.took) {
      const { records, bytes } = this.inputs.sourceSize(slice.ranges)
      world.steering.took(this.plan.id, records, bytes)
    }
    const publishes = orders.publishes && !slice.align
    const oldestAt = publishes ? this.inputs.oldestAppendTime(slice.ranges) : undefined
    const runAt = world.clock.monotonic()
    const { journal, blocks, faults } = task.run(slice, orders.control)
    const runMs = world.clock.monotonic() - runAt
    chooser.last = journal
    const facts = world.steering.report && chooser.facts()
    world.probe.at('commit.sent')
    const committed = this.producer.commit({
      expect,
      next: { seq: task.seq, hash: task.hash },
      appends: [
        ...blocks.map(({ topic, partition, block }) => ({ topic: publishes ? topic : this.privately(topic), partition, block })),
        { topic: job.topics.journal, partition: plan.id, block: this.journal.block(journal, Math.max(0, task.processingTime)) },
      ],
    })
    const sentAt = world.clock.monotonic()
    const done = committed.then(
      ({ baseOffsets }) => {
        world.probe.at('commit.acknowledged')
        task.recycle(blocks)
        this.inFlight.splice(0, this.inFlight.findIndex(({ seq }) => seq === slice.seq) + 1)
        this.trimmer.acknowledged(slice.seq, baseOffsets.at(-1)!)
        this.acknowledged = slice.seq
        this.state.acknowledged(slice.seq)
        this.size.committed()
        const now = world.clock.now()
        const latencyMs = oldestAt === undefined ? undefined : Math.max(0, now - oldestAt)
        if (facts !== undefined) world.steering.report?.(plan.id, { ...facts, latencyMs })
        world.onProgress?.(plan.id, journal.totals)
        const commitMs = world.clock.monotonic() - sentAt
        this.metrics.committed(journal, { runMs, commitMs, latencyMs, at: now, faults })
      },
      (error: unknown) => {
        this.metrics.commitFailed(codeOf(error))
        this.failure ??= { error }
      },
    )
    this.inFlight.push({ seq: slice.seq, done })
  }

  /** Waits until one more commit may be sent and the state has room. */
  private async room(): Promise<void> {
    let from = this.world.clock.monotonic()
    // Told after each wait: one that takes long is seen while it lasts.
    const tell = () => {
      const now = this.world.clock.monotonic()
      this.metrics.waitedForRoom(now - from)
      from = now
    }
    while (this.failure === undefined && this.inFlight.length >= this.world.settings.commitsInFlightMax) {
      await this.inFlight[0]!.done
      tell()
    }
    while (this.failure === undefined && this.state.full) {
      // The checkpoint under way may be older than what fills the memory: then one more is needed.
      if (!this.state.checkpointing) {
        await this.allAcknowledged()
        this.cut()
      }
      await Promise.race([this.state.relieved(), this.drive()])
      tell()
    }
  }

  private checkpointWhenDue(): void {
    const due = this.world.clock.monotonic() - this.checkpointedAt >= this.world.settings.checkpointEveryMs
    if (due || this.state.wantsCheckpoint) this.cut()
  }

  private cut(): boolean {
    const { task } = this
    if (task.seq === this.checkpointedSeq) return false
    if (!this.state.cut({ seq: task.seq, hash: task.hash, cursor: task.cursor() })) return false
    this.checkpointedAt = this.world.clock.monotonic()
    this.checkpointedSeq = task.seq
    this.trimmer.cut(task.seq)
    this.metrics.cut(task.seq, this.checkpointedAt)
    return true
  }

  private lookAtCheckpoint(): void {
    const { clock } = this.world
    this.metrics.checkpointed(this.state.published.newest, clock.monotonic())
  }

  private async lastCheckpoint(): Promise<void> {
    await this.state.settled()
    if (this.cut()) await this.state.settled()
    this.lookAtCheckpoint()
    this.tellGauges()
    await this.trimmer.trim(this.state.published)
  }

  private gaugesWhenDue(): void {
    if (this.world.clock.monotonic() - this.gaugesAt >= gaugesEveryMs) this.tellGauges()
  }

  private tellGauges(): void {
    const { job, plan, world, task, state, metrics, chooser } = this
    this.gaugesAt = world.clock.monotonic()
    const idle = chooser.idleInputs()
    const sources = plan.inputs.flatMap(({ kind, topic, partition }, input) =>
      kind === 'source' ? [{ topic, partition, idle: idle.includes(input) }] : [],
    )
    tellGauges(world.gauges, plan.id, {
      watermark: task.watermark,
      lastRecordAt: metrics.lastRecordAt,
      state,
      sources,
      partitions: sourcePartitions(job),
    })
  }

  private async allAcknowledged(): Promise<void> {
    while (this.inFlight.length > 0) {
      await this.inFlight[0]!.done
      this.throwFailure()
    }
    this.throwFailure()
  }

  /** Checkpoint work while the loop has nothing else to do. */
  private async drive(): Promise<void> {
    this.state.step(this.world.settings.stepMs)
    await this.world.clock.yield()
    this.lookAtCheckpoint()
  }

  /** Until something may have changed: the log, a commit, an idle partition's time, processing time that is due. */
  private async wait(seen: number): Promise<void> {
    const { clock, log, stop, drift, due, steering } = this.world
    if (this.state.checkpointing) return this.drive()
    this.checkpointWhenDue()
    if (this.inFlight.length === 0) this.world.onWait?.(this.plan.id, seen)
    const from = clock.monotonic()
    const woken = new AbortController()
    const onStop = () => woken.abort(nothingWrong)
    stop.addEventListener('abort', onStop, { once: true })
    this.world.crash?.addEventListener('abort', onStop, { once: true })
    const boards = [steering, due, ...(this.task.feeds.some(({ buffer }) => !buffer.empty) ? [drift] : [])]
    let takeBack: (() => void)[] = []
    const changed = new Promise<void>((wake) => {
      takeBack = boards.map((board) => board.onChange(wake))
    })
    await Promise.race([
      log.changed(seen, woken.signal),
      clock.sleep(this.waitMs(), woken.signal),
      changed,
      ...this.inFlight.map(({ done }) => done),
    ])
    for (const each of takeBack) each()
    woken.abort(nothingWrong)
    stop.removeEventListener('abort', onStop)
    this.world.crash?.removeEventListener('abort', onStop)
    const waited = clock.monotonic() - from
    for (const reading of this.inputs.readings) if (reading.feed.buffer.empty) reading.waitedMs += waited
  }

  /** Exchanges are the version's own already. */
  private privately(topic: string): string {
    const { exchanges, topics } = this.job
    return exchanges.some((exchange) => exchange.topic === topic) ? topic : topics.privately(topic)
  }

  private waitMs(): number {
    // An upstream task's end and a checkpoint's age are looked at this often.
    let shortest = this.world.until === 'stopped' ? 1000 : 5
    for (const { plan, waitedMs } of this.inputs.readings) {
      const idleAfter = plan.kind === 'source' ? plan.node.topic.idleAfterMs : undefined
      if (idleAfter !== undefined && waitedMs < idleAfter) shortest = Math.min(shortest, idleAfter - waitedMs)
    }
    const due = this.world.due.lowest()
    if (Number.isFinite(due)) shortest = Math.min(shortest, Math.max(1, due - this.world.log.clock()))
    return shortest
  }

  private throwFailure(): void {
    if (this.failure !== undefined) throw this.failure.error
  }
}

/** Ends a wait. Said as a reason, since one that is made anew has a stack, which costs more than all else of a wait. */
const nothingWrong = 'the wait is over'

function partitionsOf(log: Log, topic: string): number {
  const info = log.topic(topic)
  if (info === undefined) throw new StreamError('TOPIC_UNKNOWN', { topic })
  return info.partitions
}

function sourcePartitions({ tasks }: JobPlan): number {
  return tasks.reduce((sum, { inputs }) => sum + inputs.filter(({ kind }) => kind === 'source').length, 0)
}
