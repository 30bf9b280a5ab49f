import { checkStorable } from '../../engine/codec/value-codec.ts'
import type { EpochMs, Header, Key } from '../../engine/model/record.ts'
import type { RecordInfo } from '../../engine/model/topology.ts'
import { type Operator, type OperatorContext, overtakenReason, type TaskTime } from '../../engine/task/operator.ts'
import { recordInfo } from '../../engine/task/record-info.ts'
import type { Routed } from '../split.ts'
import { isPromise, promiseRefused } from '../sync.ts'
import type { Timer, TimerOptions } from './definition.ts'
import { Expiry } from './expiry.ts'
import { RecordBuffer, type WaitingRecord } from './record-buffer.ts'
import { type Present, stateHandles } from './state-handles.ts'
import type { StateSpecs } from './state-spec.ts'
import { StateWatch } from './state-watch.ts'
import { TimerQueue } from './timer-queue.ts'

/** A `process` as the builder checked it. */
export interface ProcessPlan {
  readonly state: StateSpecs
  readonly arrivalOrder: boolean
  readonly allowedLatenessMs: number
  /** Side outputs that are topics; all others are streams, and everything is emitted as `Routed`. */
  readonly topicPorts: ReadonlySet<string>
  readonly streamPorts: ReadonlySet<string>
  readonly onRecord: (context: unknown, value: unknown) => unknown
  readonly onTimer: ((context: unknown, timer: Timer) => unknown) | undefined
  readonly onProcessingTimer: ((context: unknown, timer: Timer) => unknown) | undefined
}

/** The branch of what is emitted, where there are others. */
export const mainBranch = 'main'

const noHeaders = (): readonly Header[] => []

/**
 * Calls functions of the job with state, for records and timers.
 * Owns: the stores `<name>.records`, `.timers`, `.processing`, `.expiry`, `.state.*`. Talks to: moment, emit.
 * Invariants, after `advance` has returned true, with horizon = watermark - delay (allowedLateness; 0 by arrival):
 * I1 every timer up to the horizon has fired. Ordered by event time also: I2 every record before the horizon was delivered, none at or after it;
 * I3 what was delivered to a key came in the order (time, timers by name, records by rank).
 */
export class ProcessOperator implements Operator {
  private readonly plan: ProcessPlan
  private readonly context: OperatorContext
  private readonly records: RecordBuffer
  private readonly timers: TimerQueue
  private readonly processingTimers: TimerQueue
  private readonly expiry: Expiry | undefined
  private readonly watch: StateWatch | undefined
  private readonly delayMs: number
  private readonly present: Present = { key: '', time: Number.NEGATIVE_INFINITY, stateTime: Number.NEGATIVE_INFINITY }
  private readonly handed: unknown
  /** What is at hand: it decides which timers may be set. */
  private handling: 'record' | 'timer' | 'processingTimer' = 'record'
  /** The highest finite watermark and processing time seen: when input is complete, chains of timers end there. */
  private lastWatermark = Number.NEGATIVE_INFINITY
  private lastProcessing = Number.NEGATIVE_INFINITY

  constructor(plan: ProcessPlan, context: OperatorContext) {
    const { name, stores } = context
    this.plan = plan
    this.context = context
    this.delayMs = plan.arrivalOrder ? 0 : plan.allowedLatenessMs
    this.records = new RecordBuffer(stores, name)
    this.timers = new TimerQueue(stores.store(`${name}.timers`))
    this.processingTimers = new TimerQueue(stores.store(`${name}.processing`))
    this.expiry = Object.values(plan.state).some(({ ttlMs }) => ttlMs !== undefined) ? new Expiry(stores, name) : undefined
    this.watch = context.strict ? new StateWatch(name) : undefined
    this.handed = this.handedOver()
  }

  process(value: unknown): void {
    const { moment, time } = this.context
    if (moment.retract) {
      if (!this.plan.arrivalOrder) this.records.takeBack(moment, value)
      return
    }
    const lasts = moment.eventTime + this.plan.allowedLatenessMs
    if (lasts < moment.stamp) this.context.late(value, 'late')
    else if (this.plan.arrivalOrder) this.deliver(value)
    // Its stamp allows it, but time went on without it.
    else if (lasts < time.watermark) this.context.late(value, overtakenReason(moment))
    else this.keep(value)
  }

  advance(time: TaskTime): boolean {
    if (Number.isFinite(time.watermark)) this.lastWatermark = time.watermark
    if (Number.isFinite(time.processing)) this.lastProcessing = time.processing
    const horizon = time.watermark - this.delayMs
    let complete = true
    // A timer by the clock may set one that is due by event time.
    do complete = this.advanceEventTime(horizon) && this.advanceProcessingTime(time.processing)
    while (complete && (this.timers.first() ?? Number.POSITIVE_INFINITY) <= horizon && this.timers.first() !== undefined)
    this.leaveNothingAtHand()
    if (complete) this.expiry?.clean(horizon)
    return complete
  }

  nextProcessingDue(): EpochMs {
    return this.processingTimers.first() ?? Number.POSITIVE_INFINITY
  }

  save(): unknown {
    return { watermark: this.lastWatermark, processing: this.lastProcessing }
  }

  load(saved: unknown): void {
    const { watermark, processing } = saved as { watermark: EpochMs; processing: EpochMs }
    this.lastWatermark = watermark
    this.lastProcessing = processing
  }

  private advanceEventTime(horizon: EpochMs): boolean {
    for (;;) {
      const timerAt = this.timers.first() ?? Number.POSITIVE_INFINITY
      const recordAt = this.records.first() ?? Number.POSITIVE_INFINITY
      const timerDue = timerAt <= horizon && timerAt !== Number.POSITIVE_INFINITY
      const recordDue = recordAt < horizon
      if (!timerDue && !recordDue) return true
      if (this.context.budget.left <= 0) return false
      if (timerDue && timerAt <= recordAt) this.fire(timerAt)
      else if (!this.deliverKey(recordAt)) return false
    }
  }

  private advanceProcessingTime(time: EpochMs): boolean {
    for (;;) {
      const at = this.processingTimers.first()
      if (at === undefined || at > time) return true
      if (this.context.budget.left <= 0) return false
      const taken = this.processingTimers.take(at)
      if (taken === undefined) continue
      if (time === Number.POSITIVE_INFINITY && taken.timer.chained && at > this.lastProcessing) continue
      this.handling = 'processingTimer'
      this.atTimer(at, taken.key, at)
      this.call(this.plan.onProcessingTimer!, { at, name: taken.timer.name, payload: taken.timer.payload })
    }
  }

  /** Fires the first timer of time `at`. */
  private fire(at: EpochMs): void {
    const taken = this.timers.take(at)
    if (taken === undefined) return
    // A chain of timers would go on for ever when input is complete.
    if (taken.timer.chained && at > this.lastWatermark - this.delayMs) return
    this.handling = 'timer'
    this.atTimer(at, taken.key, at + this.delayMs)
    this.call(this.plan.onTimer!, { at, name: taken.timer.name, payload: taken.timer.payload })
  }

  /** Delivers the records of the first key at time `at`, and between them the timers they set for that time. */
  private deliverKey(at: EpochMs): boolean {
    const { budget } = this.context
    const key = this.records.nextKey(at)
    if (key === undefined) return true
    const list = this.records.list(at, key)
    for (let i = 0; i < list.length; i++) {
      while (budget.left > 0 && (this.timers.first() ?? Number.POSITIVE_INFINITY) <= at) this.fire(at)
      if (budget.left <= 0) {
        this.records.keep(at, key, list.slice(i))
        return false
      }
      this.atRecord(at, key, list[i]!)
      this.deliver(list[i]!.value)
    }
    this.records.keep(at, key, [])
    return true
  }

  private keep(value: unknown): void {
    const { context, records } = this
    try {
      checkStorable(value, { operator: context.name })
    } catch (error) {
      context.bad(value, error)
      return
    }
    records.add(context.moment, value)
  }

  private deliver(value: unknown): void {
    this.handling = 'record'
    this.call(this.plan.onRecord, value)
  }

  /** Calls a function of the job with what `moment` describes. */
  private call<A>(handler: (context: unknown, argument: A) => unknown, argument: A): void {
    const { context, present, watch } = this
    present.key = context.moment.key!
    present.time = context.moment.eventTime
    // A timer by the clock says nothing of event time: how far that has come is the time state is seen at.
    present.stateTime = this.handling === 'processingTimer' ? this.passed() : present.time
    try {
      if (isPromise(handler(this.handed, argument))) throw promiseRefused(context.name)
      watch?.check()
    } catch (error) {
      context.bad(argument, error)
    }
  }

  /** Describes a record that waited: as it came, but judged by the time it leaves at. */
  private atRecord(at: EpochMs, key: Key, record: WaitingRecord): void {
    const { moment } = this.context
    moment.key = key
    moment.eventTime = at
    moment.stamp = at + this.delayMs
    moment.appendTime = record.appendTime
    moment.topic = record.topic
    moment.partition = record.partition
    moment.offset = record.offset
    moment.rank = record.rank
    moment.retract = false
    moment.headers = () => record.headers
    this.context.present(record.appendTime)
  }

  private atTimer(at: EpochMs, key: Key, stamp: EpochMs): void {
    const { moment } = this.context
    this.leaveNothingAtHand()
    moment.key = key
    moment.eventTime = at
    moment.stamp = stamp
    moment.appendTime = Number.isFinite(this.lastProcessing) ? this.lastProcessing : at
    this.context.present(at)
  }

  /** What comes after sees no trace of the last record. */
  private leaveNothingAtHand(): void {
    const { moment } = this.context
    moment.key = undefined
    moment.topic = ''
    moment.partition = 0
    moment.offset = -1
    moment.rank = 0
    moment.retract = false
    moment.headers = noHeaders
  }

  private handedOver(): unknown {
    const { context, plan, present } = this
    const record: RecordInfo = recordInfo(context.moment)
    const routed: Routed = { branch: mainBranch, value: undefined }
    const send = (branch: string, value: unknown): void => {
      if (plan.streamPorts.size === 0) return context.emit(value)
      routed.branch = branch
      routed.value = value
      context.emit(routed)
    }
    const state = stateHandles(context.name, plan.state, { stores: context.stores, present, expiry: this.expiry, watch: this.watch })
    return Object.freeze({
      get key() {
        return present.key
      },
      get time() {
        return present.time
      },
      get watermark() {
        return plan.arrivalOrder ? context.time.watermark : present.time
      },
      record,
      state,
      emit: (value: unknown) => send(mainBranch, value),
      emitTo(port: string, value: unknown) {
        if (plan.topicPorts.has(port)) context.emitTo(port, value)
        else if (plan.streamPorts.has(port)) send(port, value)
        else throw new TypeError(`there is no side output ${port}: name it in sideOutputs`)
      },
      setTimer: (at: EpochMs, options?: TimerOptions) => this.setTimer(at, options),
      deleteTimer: (at: EpochMs, name = '') => this.timers.delete(at, present.key, name),
      setProcessingTimer: (at: EpochMs, options?: TimerOptions) => this.setProcessingTimer(at, options),
      deleteProcessingTimer: (at: EpochMs, name = '') => this.processingTimers.delete(at, present.key, name),
    })
  }

  private setTimer(at: EpochMs, { name = '', payload }: TimerOptions = {}): void {
    const { plan, present, handling, context } = this
    if (plan.onTimer === undefined) throw new TypeError('there is no onTimer to call')
    checkTimer(at, name, payload)
    if (handling === 'timer') checkLater(at, present.time)
    // A timer in the past is due at once: what it emits must not be older than what was emitted before.
    const passed = handling === 'record' ? Math.max(present.time, context.time.watermark - this.delayMs) : this.passed()
    this.timers.set(Math.max(at, handling === 'timer' ? at : passed), present.key, { name, payload, chained: handling !== 'record' })
  }

  private setProcessingTimer(at: EpochMs, { name = '', payload }: TimerOptions = {}): void {
    const { plan, present, handling } = this
    if (plan.onProcessingTimer === undefined) throw new TypeError('there is no onProcessingTimer to call')
    checkTimer(at, name, payload)
    if (handling === 'processingTimer') checkLater(at, present.time)
    this.processingTimers.set(at, present.key, { name, payload, chained: handling !== 'record' })
  }

  /** Event time up to which all timers have fired; the present where there is none yet. */
  private passed(): EpochMs {
    return Number.isFinite(this.lastWatermark) ? this.lastWatermark - this.delayMs : this.present.time
  }
}

function checkTimer(at: EpochMs, name: string, payload: unknown): void {
  if (typeof at !== 'number' || !Number.isFinite(at)) throw new TypeError(`a timer needs a time in epoch ms, not ${String(at)}`)
  if (typeof name !== 'string') throw new TypeError(`the name of a timer is a string, not ${String(name)}`)
  checkStorable(payload, { timer: name })
}

function checkLater(at: EpochMs, than: EpochMs): void {
  if (at <= than) throw new RangeError(`a timer that is set by a timer must be later than it: ${at} is not after ${than}`)
}
