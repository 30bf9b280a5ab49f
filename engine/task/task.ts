import { assert } from '../assert.ts'
import type { EpochMs } from '../model/record.ts'
import type { JournalRecord, Slice, Totals } from '../model/slice.ts'
import type { TaskState } from '../ports/state.ts'
import type { JobPlan, TaskPlan } from '../runtime/plan.ts'
import type { Budget } from './budget.ts'
import { type BuiltOperator, buildOperators } from './build-operators.ts'
import { chainHash, inputDigest } from './digest.ts'
import { exchangeDecoder } from './exchange-codec.ts'
import { ExchangeFeed } from './exchange-feed.ts'
import { ExchangeWriter } from './exchange-writer.ts'
import { type Feed, mergeRecords } from './feeds.ts'
import { InputBuffer } from './input-buffer.ts'
import { TaskMoment } from './moment.ts'
import { type OutputBlock, Outputs } from './outputs.ts'
import type { Present } from './present.ts'
import { emptyTotals, Reports } from './reports.ts'
import { RetryFeed, retryDecoder } from './retry-feed.ts'
import { Sink } from './sink.ts'
import { sourceDecoder } from './source-decoder.ts'
import { SourceFeed } from './source-feed.ts'
import { Watermarks } from './watermarks.ts'

/** Raised whenever the same input may give other output than before; part of every journal record. */
export const semantics = 6

export interface TaskSettings {
  /** Results a slice may emit before the rest waits for the next one. */
  readonly outputsMax: number
  /** The runtime's version, for the journal: what a re-run that differs may come from. */
  readonly node: string
  /** See OperatorContext.strict. */
  readonly strict: boolean
}

export interface SliceResult {
  readonly journal: JournalRecord
  readonly blocks: readonly OutputBlock[]
  /** Failures of records that policy passed over or set aside, by code. */
  readonly faults: ReadonlyMap<string, number>
}

/** What a task keeps beside its stores. */
export interface TaskCursor {
  readonly watermark: EpochMs
  readonly processing: EpochMs
  readonly sourceProcessing: EpochMs
  /** What operators see as the time before the slice: while results are due, not the time that made them so. */
  readonly time: { readonly watermark: EpochMs; readonly processing: EpochMs }
  readonly due: boolean
  readonly feeds: readonly unknown[]
  readonly positions: readonly number[]
  readonly operators: readonly { readonly name: string; readonly saved: unknown }[]
  readonly exchanges: readonly unknown[]
  readonly totals: Totals
}

/**
 * One deterministic unit of a job. Synchronous, without I/O: what `run` does is a function of the state and the slice.
 * Owns: its operators, its inputs' buffers, its watermark. Talks to: its stores.
 * Invariants: I1 W and P never go back; I2 while `due`, slices have no ranges and time stands still; I3 the hash chains every slice run since the first.
 */
export class Task {
  readonly plan: TaskPlan
  readonly feeds: readonly Feed[]
  /** Of the last slice run. */
  seq = 0
  hash = ''
  /** What is due by time is not all emitted yet. */
  due = false
  readonly totals: Totals
  private readonly settings: TaskSettings
  private readonly present: Present
  private readonly moment = new TaskMoment()
  private readonly watermarks = new Watermarks()
  private readonly outputs = new Outputs()
  private readonly reports: Reports
  private readonly budget: Budget = { left: 0 }
  private readonly time = { watermark: Number.NEGATIVE_INFINITY, processing: Number.NEGATIVE_INFINITY }
  private processing = Number.NEGATIVE_INFINITY
  /** What slices said of the append-time clock of source partitions. */
  private sourceProcessing = 0
  private readonly operators: readonly BuiltOperator[]
  private readonly sinks: Sink[] = []
  private readonly exchanges: ExchangeWriter[] = []

  constructor(
    job: JobPlan,
    plan: TaskPlan,
    deps: { state: TaskState; present: Present; settings: TaskSettings; partitionsOf: (topic: string) => number },
  ) {
    this.plan = plan
    this.settings = deps.settings
    this.present = deps.present
    this.totals = emptyTotals()
    const { moment, outputs, watermarks } = this
    const stage = plan.stage
    const [deadLetters, late] = [outputs.open(job.topics.deadLetters, 1, true)[0]!, outputs.open(job.topics.late, 1)[0]!]
    this.reports = new Reports(moment, this.totals, deadLetters, late, this.budget)
    const entering = [
      ...stage.nodes.filter((node) => node.kind === 'source').map((node) => node.id),
      ...stage.reads.map((exchange) => exchange.node.id),
    ]
    const { operators, entries } = buildOperators(stage.nodes, entering, {
      moment,
      stores: deps.state,
      reports: this.reports,
      present: deps.present,
      budget: this.budget,
      strict: deps.settings.strict,
      time: this.time,
      sink: (_, topic) => {
        const sink = new Sink(topic, outputs.open(topic.name, deps.partitionsOf(topic.name)), moment)
        this.sinks.push(sink)
        return sink
      },
      exchange: (node) => {
        const exchange = stage.writes.find((written) => written.node === node)
        if (exchange === undefined) return undefined
        const writer = new ExchangeWriter(outputs.open(exchange.topic, job.parallelism), moment, plan.id, this.budget)
        this.exchanges.push(writer)
        return (value) => writer.write(value)
      },
    })
    this.operators = operators
    this.feeds = plan.inputs.map((input): Feed => {
      switch (input.kind) {
        case 'source':
          return new SourceFeed(
            {
              buffer: new InputBuffer(input.from, sourceDecoder(input.node.topic)),
              node: input.node,
              partition: input.partition,
              ordinal: input.ordinal,
              channel: watermarks.addChannel(),
            },
            { moment, present: deps.present, reports: this.reports, watermarks, emit: entries.get(input.node.id)! },
          )
        case 'retry':
          return new RetryFeed(new InputBuffer(0, retryDecoder(input.sources)), input.sources, job.sources, {
            moment,
            present: deps.present,
            reports: this.reports,
            entries,
          })
        case 'exchange':
          return new ExchangeFeed(
            new InputBuffer(0, exchangeDecoder(deps.present.makeDate)),
            input.upstreamTasks.map((task) => ({ task, channel: watermarks.addChannel() })),
            { moment, present: deps.present, watermarks, emit: entries.get(input.exchange.node.id)! },
          )
      }
    })
  }

  get watermark(): EpochMs {
    return this.watermarks.current
  }

  get processingTime(): EpochMs {
    return this.processing
  }

  get hasSources(): boolean {
    return this.feeds.some((feed) => feed instanceof SourceFeed)
  }

  /** A slice said that no more input comes. */
  get sourcesComplete(): boolean {
    return this.sourceProcessing === Number.POSITIVE_INFINITY
  }

  /** When processing time will have work; Infinity for never. */
  nextProcessingDue(): EpochMs {
    let next = Number.POSITIVE_INFINITY
    for (const { operator } of this.operators) next = Math.min(next, operator.nextProcessingDue?.() ?? Number.POSITIVE_INFINITY)
    return next
  }

  /**
   * Whether a slice that takes nothing would change anything by event time, if these inputs (and no others) were idle: move the watermark, up to
   * `cap`, or tell the tasks behind that nothing of this one's holds them up, or does again.
   */
  timeWouldChange(idle: readonly number[], cap: EpochMs): boolean {
    const { watermarks } = this
    const channels = this.idleChannels(idle)
    if (channels.length > 0 && Math.min(watermarks.next(channels), cap) > watermarks.current) return true
    const allIdle = !channels.includes(false)
    return this.exchanges.some((exchange) => exchange.toldIdle !== allIdle)
  }

  /** Runs the next slice. What it reads must be buffered. Throws what stops the task: StreamErrors of records and of the job. */
  run(slice: Slice, control = 0): SliceResult {
    assert(slice.seq === this.seq + 1, () => `slice ${slice.seq} after ${this.seq}`)
    assert(!this.due || slice.ranges.length === 0, 'more input while results are due')
    this.present.seed(this.plan.id, slice.seq)
    this.budget.left = this.settings.outputsMax
    const input = this.runRecords(slice)
    if (slice.hold === undefined) this.advance(slice)
    for (const sink of this.sinks) sink.settle()
    if (!this.due && slice.hold === undefined)
      for (const exchange of this.exchanges) exchange.advance(this.watermarks.current, this.processing, this.watermarks.allIdle)
    return this.finish(slice, input, control)
  }

  /** What a slice wrote has been committed, or is not wanted. */
  recycle(blocks: readonly OutputBlock[]): void {
    this.outputs.recycle(blocks)
  }

  /** The task's part of a checkpoint. */
  cursor(): TaskCursor {
    return {
      watermark: this.watermarks.current,
      processing: this.processing,
      sourceProcessing: this.sourceProcessing,
      time: { ...this.time },
      due: this.due,
      feeds: this.feeds.map((feed) => feed.save()),
      positions: this.feeds.map((feed) => feed.buffer.position),
      operators: this.operators
        .map(({ node, operator }) => ({ name: node.name, saved: operator.save?.() }))
        .filter(({ saved }) => saved !== undefined),
      exchanges: this.exchanges.map((exchange) => exchange.save()),
      totals: structuredClone(this.totals),
    }
  }

  /** Starts from a checkpoint, or from nothing; called once, before the first slice. */
  open(point: { seq: number; hash: string; cursor: unknown } | null): void {
    if (point !== null) {
      const cursor = point.cursor as TaskCursor
      this.seq = point.seq
      this.hash = point.hash
      this.due = cursor.due
      this.processing = cursor.processing
      this.sourceProcessing = cursor.sourceProcessing
      this.feeds.forEach((feed, i) => {
        feed.load(cursor.feeds[i])
        feed.buffer.position = cursor.positions[i]!
        feed.buffer.readPosition = cursor.positions[i]!
      })
      this.watermarks.current = cursor.watermark
      Object.assign(this.time, cursor.time)
      for (const { name, saved } of cursor.operators) this.operators.find(({ node }) => node.name === name)!.operator.load?.(saved)
      this.exchanges.forEach((exchange, i) => exchange.load(cursor.exchanges[i]))
      const { derived, late, out, ...counts } = cursor.totals
      Object.assign(this.totals, counts)
      Object.assign(this.totals.derived, derived)
      Object.assign(this.totals.late, late)
      Object.assign(this.totals.out, out)
    }
    for (const { operator } of this.operators) operator.open?.()
  }

  private runRecords(slice: Slice): JournalRecord['input'] {
    const digests: { count: number; digest: string }[] = []
    const taken: { feed: Feed; count: number }[] = []
    for (const range of slice.ranges) {
      const feed = this.feeds[range.input]!
      assert(
        feed.buffer.position <= range.from,
        () => `input ${range.input} is at ${feed.buffer.position}, the slice begins at ${range.from}`,
      )
      const count = feed.buffer.countBelow(range.to)
      digests.push({ count, digest: inputDigest(feed.buffer.cover(range.from, range.to)) })
      taken.push({ feed, count })
    }
    for (const { input, offset } of slice.skip ?? []) {
      const feed = this.feeds[input]
      if (feed instanceof SourceFeed) feed.skips.add(offset)
    }
    mergeRecords(taken)
    slice.ranges.forEach((range, i) => {
      const { feed } = taken[i]!
      // Offsets that hold nothing are passed too.
      feed.buffer.position = range.to
      feed.buffer.releaseTaken()
      if (feed instanceof SourceFeed) feed.skips.clear()
    })
    return digests
  }

  private advance(slice: Slice): void {
    for (const [channel, idle] of this.idleChannels(slice.idle).entries()) this.watermarks.setIdle(channel, idle)
    const { watermarks, time } = this
    if (slice.advanceTo !== undefined) {
      const forced = slice.advanceTo.watermark ?? Number.POSITIVE_INFINITY
      // Not to align: records are judged by what their own partition has seen. What they come too late for since time was forced is diverted, and told.
      if (!slice.align) {
        for (const feed of this.feeds) if (feed instanceof SourceFeed) feed.raise(forced)
        if (this.feeds.length === 0) watermarks.current = Math.max(watermarks.current, forced)
      }
      this.sourceProcessing = Math.max(this.sourceProcessing, slice.advanceTo.processing ?? Number.POSITIVE_INFINITY)
    }
    if (slice.align) this.force(slice.advanceTo?.watermark, slice.cap?.processing)
    if (slice.level !== undefined) this.force(slice.level.watermark, slice.level.processing)
    const { watermark, processing } = capOf(slice)
    const reached = this.processingNow(slice)
    // I2: else operators would hand on what is due later to those behind them, which have not given yet what is due now.
    if (!this.due) {
      watermarks.current = Math.max(watermarks.current, Math.min(watermarks.next(), watermark))
      this.processing = Math.max(this.processing, Math.min(reached, processing))
    }
    const next = { watermark: watermarks.current, processing: this.processing }
    this.due = false
    this.moment.atTime(slice.processing)
    for (const { operator } of this.operators) {
      if (operator.advance === undefined || operator.advance(next)) continue
      this.due = true
      return
    }
    time.watermark = next.watermark
    time.processing = next.processing
  }

  /** What is due by these times is due now, whatever the tasks before say. */
  private force(watermark: EpochMs | null | undefined, processing: EpochMs = 0): void {
    const forced = watermark ?? Number.NEGATIVE_INFINITY
    for (const feed of this.feeds) if (feed instanceof ExchangeFeed) feed.raise(forced, processing)
    this.watermarks.current = Math.max(this.watermarks.current, forced)
    this.processing = Math.max(this.processing, processing)
  }

  /** P: the lowest of what the slice says of source partitions and what exchanges said in-band. */
  private processingNow(slice: Slice): EpochMs {
    this.sourceProcessing = Math.max(this.sourceProcessing, slice.processing)
    return this.processingAt(this.sourceProcessing)
  }

  /** P, if source partitions had come to this time. */
  processingAt(sources: EpochMs): EpochMs {
    let lowest = Number.POSITIVE_INFINITY
    for (const feed of this.feeds) {
      if (feed instanceof SourceFeed) lowest = Math.min(lowest, sources)
      if (feed instanceof ExchangeFeed) lowest = Math.min(lowest, feed.processing)
    }
    return lowest
  }

  /** By channel; those of tasks before are what they said. */
  private idleChannels(idle: readonly number[]): boolean[] {
    const channels = this.watermarks.idle
    this.feeds.forEach((feed, input) => {
      if (feed instanceof SourceFeed) for (const channel of feed.channels) channels[channel] = idle.includes(input)
    })
    return channels
  }

  private finish(slice: Slice, input: JournalRecord['input'], control: number): SliceResult {
    const { blocks, count, digest } = this.outputs.finish()
    for (const { topic, count: written } of blocks) this.totals.out[topic] = (this.totals.out[topic] ?? 0) + written
    const body = {
      slice,
      watermark: journalTime(this.watermarks.current),
      input,
      output: { count, digest },
      totals: structuredClone(this.totals),
      due: this.due,
      control,
      semantics,
    }
    this.hash = chainHash(this.hash, JSON.stringify(body))
    this.seq = slice.seq
    return { journal: { ...body, node: this.settings.node, hash: this.hash }, blocks, faults: this.reports.takeFaults() }
  }
}

/** Null stands for -Infinity. */
function capOf({ level, cap = level }: Slice): { watermark: EpochMs; processing: EpochMs } {
  if (cap === undefined) return { watermark: Number.POSITIVE_INFINITY, processing: Number.POSITIVE_INFINITY }
  return { watermark: cap.watermark ?? Number.NEGATIVE_INFINITY, processing: cap.processing }
}

function journalTime(time: EpochMs): JournalRecord['watermark'] {
  if (time === Number.NEGATIVE_INFINITY) return null
  return time === Number.POSITIVE_INFINITY ? 'Infinity' : time
}
