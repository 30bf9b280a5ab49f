import type { EpochMs, Offset } from '../model/record.ts'
import type { JournalRecord, Range, Slice } from '../model/slice.ts'
import type { Task } from '../task/task.ts'
import { chooseRanges } from './choose-slice.ts'
import type { TaskPlan } from './plan.ts'
import type { SliceSize } from './slice-size.ts'
import { type Orders, type Positions, partitionName, type TaskFacts, type Times } from './steering.ts'
import type { TaskInputs } from './task-inputs.ts'
import type { TaskWorld } from './task-life.ts'

/** What a chooser goes by beside what it is told of the world. */
export interface ChooserParts {
  readonly task: Task
  readonly plan: TaskPlan
  /** Tasks of the version. */
  readonly tasks: number
  readonly inputs: TaskInputs
  readonly world: Pick<TaskWorld, 'settings' | 'drift' | 'due' | 'steering' | 'until' | 'upstreamEnded' | 'allRead'>
  readonly size: SliceSize
  /** Of the last slice, in whichever life it was run. */
  readonly last: JournalRecord | undefined
}

/**
 * Decides what the next slice is: from what is buffered, the clock, and what the version may do. Awaits nothing and changes nothing of the task.
 * What it decides is in the slice, so that recovery does not have to decide again.
 */
export class SliceChooser {
  private readonly task: Task
  private readonly plan: TaskPlan
  /** Of its facts those that never change. */
  private readonly kind: Pick<TaskFacts, 'task' | 'tasks' | 'timed' | 'clocked'>
  private readonly inputs: TaskInputs
  private readonly world: ChooserParts['world']
  private readonly size: SliceSize
  private readonly upstream: readonly number[]
  /** What the slice that was chosen last is to be run under. */
  orders: Orders
  /** Set by whoever ran it. */
  last: Pick<JournalRecord, 'slice' | 'control'> | undefined

  constructor({ task, plan, tasks, inputs, world, size, last }: ChooserParts) {
    this.task = task
    this.plan = plan
    const operators = plan.stage.nodes.filter((node) => node.kind === 'operator')
    const timed = operators.some(({ stores }) => stores.length > 0)
    const clocked = operators.some(({ processingTime }) => processingTime)
    this.kind = { task: plan.id, tasks, timed, clocked }
    this.inputs = inputs
    this.world = world
    this.size = size
    this.last = last
    this.upstream = [...new Set(plan.inputs.flatMap((input) => (input.kind === 'exchange' ? input.upstreamTasks : [])))]
    this.orders = world.steering.orders(plan.id, this.upstream)
  }

  /** The slice to run now; undefined when there is nothing to do. */
  next(now: number): Slice | undefined {
    const { task, plan, inputs } = this
    const seq = task.seq + 1
    const idle = this.idleInputs()
    const orders = (this.orders = this.world.steering.orders(plan.id, this.upstream))
    if (this.behind) return undefined
    const trail = orders.trail ?? free
    const cap = orders.trail === undefined ? {} : { cap: { watermark: finiteOrNull(trail.watermark), processing: trail.processing } }
    const tick = (more: Partial<Slice> = {}): Slice => ({ seq, ranges: [], processing: this.processingNow(now, []), idle, ...cap, ...more })
    const { align, hold } = orders
    const aligned = align === undefined || (this.last?.control ?? 0) >= align.control
    if (task.due ? this.last?.slice.align : !aligned) return tick(alignment(align!))
    if (task.due) return tick()
    if (hold !== undefined) {
      if (this.last?.slice.hold === hold.id) return undefined
      const taken = this.drained('exchange') && (hold.retried !== true || this.drained('retry'))
      if (taken && this.isAt(hold.at)) return tick(this.levelling(hold.level) ?? { hold: hold.id })
    }
    // A task that has nothing to read itself must still tell the next stage so.
    if (task.seq === 0 && plan.stage.writes.length > 0) return tick()
    const ranges = this.chooseRanges()
    if (ranges.length > 0) {
      for (const { input } of ranges) inputs.readings[input]!.waitedMs = 0
      const taken = new Set(ranges.map(({ input }) => input))
      const skip = this.skipsIn(ranges)
      const processing = this.processingNow(now, ranges)
      return { seq, ranges, processing, idle: idle.filter((input) => !taken.has(input)), ...cap, ...(skip.length === 0 ? {} : { skip }) }
    }
    if (this.completes()) return tick({ idle: [], advanceTo: { watermark: null, processing: null } })
    if (task.timeWouldChange(idle, trail.watermark)) return tick()
    return this.clockMoves(now, trail.processing) ? tick() : undefined
  }

  /**
   * Less is known of what was decided than when the last slice was run: a hold that slice obeyed, and what was decided since, may not be known
   * here yet. Or nothing is known at all, not even who publishes: the first version would give privately what is for all to see.
   * Nothing is done until it is.
   */
  private get behind(): boolean {
    const { control } = this.orders
    return control !== undefined && control < Math.max(1, this.last?.control ?? 0)
  }

  /** The clock has come to what is due here, or in a task behind this one, which it reaches through this one only. */
  private clockMoves(now: number, cap: EpochMs): boolean {
    const { task, plan, world } = this
    const reached = Math.min(task.processingAt(this.processingNow(now, [])), cap)
    const own = task.nextProcessingDue()
    // Of a task without sources the clock has come to no time at all.
    if (own <= reached && own !== Number.POSITIVE_INFINITY) return true
    const behind = world.due.lowest()
    return plan.stage.writes.length > 0 && task.processingTime < behind && behind <= reached && behind !== Number.POSITIVE_INFINITY
  }

  /** To come to the times other tasks have come to, as far as this one gives results by them; undefined: it has. */
  private levelling(level: Times | undefined): Partial<Slice> | undefined {
    if (level === undefined) return undefined
    const { task, kind } = this
    const watermark = kind.timed ? level.watermark : Number.NEGATIVE_INFINITY
    const processing = kind.clocked ? level.processing : 0
    if (task.watermark >= watermark && task.processingTime >= processing) return undefined
    return { level: { watermark: finiteOrNull(watermark), processing } }
  }

  private chooseRanges() {
    const { settings, drift } = this.world
    const { takeMax = Number.POSITIVE_INFINITY } = this.orders
    const sourcesMax = Math.min(this.size.records, takeMax)
    const own: { index: number; buffer: Task['feeds'][number]['buffer'] }[] = []
    const exchanged: typeof own = []
    // No more than the slice can take: decoded records are objects, and cost most while many are alive.
    const share = Math.ceil(this.size.records / Math.max(1, this.task.feeds.filter(({ buffer }) => !buffer.empty).length))
    this.task.feeds.forEach(({ buffer }, index) => {
      buffer.decodeUpTo(share)
      ;(this.plan.inputs[index]!.kind === 'exchange' ? exchanged : own).push({ index, buffer })
    })
    // What lies beyond the trail can't be taken yet: nobody waits for it, else a version could not come as far as an owner that stopped.
    const takes = sourcesMax < 1 ? [] : own.filter(({ index, buffer }) => buffer.position < this.trailEnd(index))
    const { ranges, reach } = chooseRanges(takes, sourcesMax, settings.maxDriftMs, drift.lowest(this.plan.id))
    if (own.length > 0) drift.post(this.plan.id, reach)
    const others = chooseRanges(exchanged, this.size.records, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)
    return [...this.onTrail(ranges), ...others.ranges].sort((a, b) => a.input - b.input)
  }

  /** Of the records to pass over, those the ranges take. */
  private skipsIn(ranges: readonly Range[]): NonNullable<Slice['skip']> {
    const { skip = [] } = this.orders
    if (skip.length === 0) return []
    return ranges.flatMap(({ input, from, to }) => {
      const { kind, topic, partition } = this.plan.inputs[input]!
      if (kind !== 'source') return []
      const own = skip.filter((one) => one.topic === topic && one.partition === partition && one.offset >= from && one.offset < to)
      return own.map(({ offset }) => ({ input, offset }))
    })
  }

  /** What of the ranges the version that publishes has taken already, or does not read. */
  private onTrail(ranges: readonly Range[]): Range[] {
    return ranges.map((range) => ({ ...range, to: Math.min(range.to, this.trailEnd(range.input)) })).filter(({ from, to }) => from < to)
  }

  /** How far the version that publishes has taken a partition; Infinity for that version itself, and for what it does not read. */
  private trailEnd(input: number): Offset {
    const { trail } = this.orders
    if (trail === undefined) return Number.POSITIVE_INFINITY
    return trail.positions === undefined ? 0 : (trail.positions.get(this.nameOf(input)) ?? Number.POSITIVE_INFINITY)
  }

  private nameOf(input: number): string {
    const { topic, partition } = this.plan.inputs[input]!
    return partitionName(topic, partition)
  }

  /** Whether the task has taken all up to these positions; undefined: it stands wherever it is. */
  private isAt(positions: Positions | undefined): boolean {
    return positions === undefined || [...this.positions()].every(([name, position]) => position >= (positions.get(name) ?? 0))
  }

  /** All of these inputs was taken. In a hold none is added: the tasks before stand still, and nothing is retried. */
  private drained(kind: 'source' | 'exchange' | 'retry'): boolean {
    return this.inputs.readings.every((reading) => reading.plan.kind !== kind || this.inputs.atEnd(reading))
  }

  private positions(): Map<string, Offset> {
    const found = new Map<string, Offset>()
    this.inputs.readings.forEach(({ plan, feed }, input) => {
      if (plan.kind === 'source') found.set(this.nameOf(input), feed.buffer.position)
    })
    return found
  }

  facts(): TaskFacts {
    const { task } = this
    return {
      ...this.kind,
      seq: task.seq,
      hash: task.hash,
      positions: this.positions(),
      watermark: task.watermark,
      processing: Math.max(0, task.processingTime),
      held: this.last?.slice.hold,
    }
  }

  /** P for source partitions: the append time each has come to; at a partition's end, the clock. */
  private processingNow(now: number, ranges: Slice['ranges']): number {
    let lowest = now
    this.inputs.readings.forEach((reading, input) => {
      if (reading.plan.kind !== 'source') return
      const { buffer } = reading.feed
      const to = ranges.find((taken) => taken.input === input)?.to ?? buffer.position
      // All of the log was seen: the clock speaks. Else the next record to come does, or, not read yet, the last one that was.
      const reached = buffer.appendTimeAt(to) ?? (this.inputs.drained(reading) ? now : buffer.lastAppendTime)
      lowest = Math.min(lowest, reached)
    })
    return Math.max(lowest, 0)
  }

  /** Inputs that do not hold the watermark back. */
  idleInputs(): number[] {
    return this.inputs.readings.flatMap(({ plan, waitedMs, feed }, input) =>
      plan.kind === 'source' && feed.buffer.empty && waitedMs >= (plan.node.topic.idleAfterMs ?? Number.POSITIVE_INFINITY) ? [input] : [],
    )
  }

  private get atEnd(): boolean {
    return this.inputs.allAtEnd && this.world.upstreamEnded() && this.inputs.allAtEnd
  }

  /** No more input comes, and the task has not been told yet. */
  private completes(): boolean {
    if (this.world.until !== 'complete') return false
    // All at about the same time: one that is complete is never idle, and would hold up what others still read.
    if (this.task.hasSources && !this.world.allRead(this.drained('source'))) return false
    return this.atEnd && !this.sealed
  }

  /** Who reads nothing at all says that no more comes, too: it has told the tasks behind it no more than the owner's time, if it ever followed one. */
  private get sealed(): boolean {
    const { task, upstream, world } = this
    return world.until !== 'complete' || task.sourcesComplete || !(task.hasSources || upstream.length === 0)
  }

  /** There is nothing to do, and there will be nothing. */
  ended(): boolean {
    return this.world.until !== 'stopped' && !this.behind && this.atEnd && this.sealed
  }
}

/** Exactly as far as the former owner: what is due later is for all to see. */
function alignment({ watermark, processing }: NonNullable<Orders['align']>): Partial<Slice> {
  const moved = Number.isFinite(watermark) ? { advanceTo: { watermark, processing } } : {}
  return { processing, idle: [], cap: { watermark: finiteOrNull(watermark), processing }, align: true, ...moved }
}

const free = { watermark: Number.POSITIVE_INFINITY, processing: Number.POSITIVE_INFINITY }

function finiteOrNull(time: EpochMs): EpochMs | null {
  return Number.isFinite(time) ? time : null
}
