import { setMaxListeners } from 'node:events'
import { codeOf, StreamError } from '../errors.ts'
import { keepAll } from '../log/pin-all.ts'
import type { Totals } from '../model/slice.ts'
import { outputTopics, type Topology } from '../model/topology.ts'
import type { Log, TopicSpec } from '../ports/log.ts'
import type { TaskState } from '../ports/state.ts'
import type { Clock, Logger, Metrics, Probe } from '../ports/world.ts'
import type { Present } from '../task/present.ts'
import { emptyTotals } from '../task/reports.ts'
import { Failures, passes, recoverable } from './failures.ts'
import { type JobPlan, planJob, type TaskPlan } from './plan.ts'
import { readJournal } from './recover.ts'
import type { RuntimeSettings } from './settings.ts'
import { SliceSize } from './slice-size.ts'
import { noSteering, type Starts, type Steering } from './steering.ts'
import { type RunUntil, TaskLife, type TaskWorld } from './task-life.ts'
import { TimeBoard } from './time-board.ts'
import { VersionGauges } from './version-gauges.ts'

export interface JobRunOptions extends Pick<TaskWorld, 'crash' | 'onWait' | 'onProgress'> {
  /** A fresh instance of the job for each life of each task: what its module keeps is that life's alone. */
  readonly load: () => { readonly topology: Topology; readonly present: Present }
  readonly version: number
  readonly parallelism: number
  /** Where it begins; always the same for one version. */
  readonly starts?: Starts
  /** Of a version beside others; absent: the job's only one. */
  readonly steering?: Steering
  readonly log: Log
  /** Opens the state of a task, as it was left; its dates are those of `present`. */
  readonly openState: (plan: TaskPlan, job: JobPlan, present: Present) => Promise<TaskState>
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
  readonly probe: Probe
  readonly settings: RuntimeSettings
  readonly until: RunUntil
  readonly stop: AbortSignal
}

/** Runs one version of a job: all its tasks, each recovered after failures that a new life can mend. Resolves when all have ended. */
export async function runJob(options: JobRunOptions): Promise<Totals> {
  const { log, version, parallelism } = options
  const first = options.load()
  const { topology } = first
  await createTopics(log, topology, version, parallelism, options.steering !== undefined)
  const plan = planOf(topology, options)
  // Planning has run nothing of it: the instance is as fresh for the first life that asks.
  const unused = [first]
  const load = () => unused.pop() ?? options.load()
  const drift = new TimeBoard()
  const due = new TimeBoard()
  const labels = { job: topology.job, version: `v${version}` }
  const gauges = new VersionGauges(options.metrics, labels)
  const ended = new Set<number>()
  const reading = new Set(plan.tasks.filter(({ inputs }) => inputs.some(({ kind }) => kind === 'source')).map(({ id }) => id))
  /** Input of tasks that have ended: kept until the run is over, or nobody would keep it while others still end. */
  const kept = new Map<number, () => void>()
  const failed = new AbortController()
  const stop = AbortSignal.any([options.stop, failed.signal])
  // Each task listens to both; there may be many.
  setMaxListeners(0, stop, ...(options.crash === undefined ? [] : [options.crash]))
  const runs = plan.tasks.map(async ({ id, stage }) => {
    const upstream = plan.tasks
      .filter((task) => stage.reads.some((exchange) => exchange.fromStage === task.stage.index))
      .map((task) => task.id)
    const world: TaskWorld = {
      ...options,
      steering: options.steering ?? noSteering,
      logger: options.logger.child({ ...labels, task: id }),
      gauges,
      drift,
      due,
      stop,
      upstreamEnded: () => upstream.every((task) => ended.has(task)),
      allRead: (read) => {
        if (read) reading.delete(id)
        else reading.add(id)
        return reading.size === 0
      },
    }
    try {
      await runTask(id, { ...options, load }, world, kept)
    } catch (error) {
      failed.abort()
      throw error
    }
    ended.add(id)
  })
  try {
    const results = await Promise.allSettled(runs)
    for (const result of results) if (result.status === 'rejected') throw result.reason
    return await totalsAtEnd(plan, options)
  } finally {
    for (const letGo of kept.values()) letGo()
  }
}

/** Creates what the job reads and writes, where it is missing. TOPIC_EXISTS when a topic is there with other settings that matter. */
async function createTopics(log: Log, topology: Topology, version: number, parallelism: number, steered: boolean): Promise<void> {
  const sources = topology.nodes.filter((node) => node.kind === 'source').map((node) => node.topic)
  const outputs = outputTopics(topology)
  const widest = Math.max(1, ...sources.map((topic) => log.topic(topic.name)?.partitions ?? topic.partitions ?? 1))
  for (const topic of [...sources, ...outputs]) {
    if (log.topic(topic.name) !== undefined) continue
    const partitions = topic.partitions ?? (sources.includes(topic) ? 1 : widest)
    await log.createTopic({ ...topic.keep, name: topic.name, partitions, kind: topic.kind })
  }
  const plan = planJob(topology, version, parallelism, (topic) => log.topic(topic)!.partitions)
  const own: TopicSpec[] = [
    { name: plan.topics.journal, partitions: plan.tasks.length, kind: 'internal' },
    { name: plan.topics.retry, partitions: plan.stages.length, kind: 'internal' },
    { name: plan.topics.deadLetters, partitions: 1, kind: 'stream' },
    { name: plan.topics.late, partitions: 1, kind: 'stream' },
    ...plan.exchanges.map(({ topic }): TopicSpec => ({ name: topic, partitions: parallelism, kind: 'internal' })),
  ]
  for (const spec of own) await log.createTopic(spec)
  if (!steered) return
  for (const name of new Set([...outputs.map(({ name }) => name), plan.topics.deadLetters, plan.topics.late])) {
    const { partitions, kind } = log.topic(name)!
    await log.createTopic({ name: plan.topics.privately(name), partitions, kind })
  }
}

function planOf(topology: Topology, { log, version, parallelism, starts }: JobRunOptions): JobPlan {
  const partitionsOf = (topic: string) => {
    const info = log.topic(topic)
    if (info === undefined) throw new StreamError('TOPIC_UNKNOWN', { topic })
    return info.partitions
  }
  return planJob(topology, version, parallelism, partitionsOf, starts)
}

/**
 * Lives of one task, one after the other, until one ends cleanly. @param kept of tasks that have no life: what lets go of their input, which is
 * kept between two lives and behind the last.
 */
async function runTask(id: number, options: JobRunOptions, world: TaskWorld, kept: Map<number, () => void>): Promise<void> {
  const { settings, clock, logger, stop } = world
  const failures = new Failures(settings)
  const size = new SliceSize(settings.sliceRecordsMax)
  while (!stop.aborted) {
    const { topology, present } = options.load()
    const plan = planOf(topology, options)
    const task = plan.tasks[id]!
    let state: TaskState | undefined
    let life: TaskLife | undefined
    try {
      state = await options.openState(task, plan, present)
      life = await TaskLife.begin(plan, task, world, state, present, size)
      kept.get(id)?.()
      kept.delete(id)
      failures.acknowledged(life.acknowledged)
      await life.run()
      return
    } catch (error) {
      const smaller = codeOf(error) === 'COMMIT_TOO_LARGE' && size.shrink()
      if (!smaller && !recoverable(error)) throw error
      if (life !== undefined) failures.acknowledged(life.acknowledged)
      const pauseMs = failures.add(error)
      const labels = { job: plan.topology.job, version: `v${plan.version}` }
      world.metrics.add('reprise_errors_total', { ...labels, code: codeOf(error) ?? 'none' }, 1)
      const goesOn = passes(error) ? 'task can not go on now, and tries again until it can' : 'task failed, recovering'
      logger.warn({ error: String(error), pauseMs }, goesOn)
      await clock.sleep(pauseMs, stop)
    } finally {
      // BEFORE the life lets go of it.
      const sources = task.inputs.filter(({ kind }) => kind === 'source')
      if (!kept.has(id)) kept.set(id, keepAll(world.log, sources))
      if (life !== undefined) await life.close()
      else await state?.close()
    }
  }
}

/** All is committed: a log that can't be read for a while must not make the run a failure. */
async function totalsAtEnd(plan: JobPlan, { log, clock, settings, stop }: JobRunOptions): Promise<Totals> {
  for (let failures = 1; ; failures++) {
    try {
      return await totalsOf(log, plan)
    } catch (error) {
      if (!recoverable(error) || (failures > settings.failuresMax && (stop.aborted || !passes(error)))) throw error
      await clock.sleep(settings.retryBackoffMs)
    }
  }
}

/** Sums over the tasks' journals: what was committed since the job began. */
export async function totalsOf(log: Log, plan: JobPlan): Promise<Totals> {
  const sum = emptyTotals()
  for (const { id } of plan.tasks) {
    const last = (await readJournal(log, plan.topics.journal, id)).at(-1)?.record.totals
    if (last === undefined) continue
    sum.in += last.in
    sum.processed += last.processed
    sum.skipped += last.skipped
    sum.deadLettered += last.deadLettered
    for (const outcome of ['skipped', 'deadLettered'] as const) sum.derived[outcome] += last.derived[outcome]
    for (const reason of ['late', 'idle', 'clock'] as const) sum.late[reason] += last.late[reason]
    for (const [topic, count] of Object.entries(last.out)) sum.out[topic] = (sum.out[topic] ?? 0) + count
  }
  return sum
}
