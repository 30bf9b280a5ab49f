import { BlockBuilder } from '../../../../engine/block/block-builder.ts'
import { codeOf } from '../../../../engine/errors.ts'
import { EmbeddedLog } from '../../../../engine/log/embedded/embedded-log.ts'
import { logProbePoints } from '../../../../engine/log/embedded/probe-points.ts'
import { ReadOnlyLog } from '../../../../engine/log/embedded/read-only-log.ts'
import type { Producer } from '../../../../engine/ports/log.ts'
import type { Clock } from '../../../../engine/ports/world.ts'
import { Random } from '../../../support/random.ts'
import { SimClock } from '../../../support/sim-clock.ts'
import { noSimFaults, SimDisk, type SimFs } from '../../../support/sim-fs.ts'
import { bytesOf, CrashOracle, keyOf, lookAt, places, tablePlace, Violation } from './crash-oracle.ts'

export interface ReadOnlyResult {
  readonly violation: string | undefined
  readonly trace: readonly string[]
  readonly kills: number
  readonly failures: number
  readonly commits: number
  /** Looks that found something, over all lives of the writer. */
  readonly looks: number
  /** Views that saw a file of another writer than the one they began with. */
  readonly followed: number
}

const settings = {
  logFileBytes: 6000,
  ownSegmentBytesMin: 3000,
  mixedSegmentsMax: 3,
  joinedBlockBytes: 2500,
  reserveBytes: 2048,
  rewriteBacklogBytesMax: 60_000,
}

/** Several lives of a writer, and a view of another process that reads along, across kills and restarts, until power is lost. */
export async function readOnlyRun(seed: number): Promise<ReadOnlyResult> {
  return new ReadOnlyRun(seed).run()
}

class ReadOnlyRun {
  private readonly random: Random
  private readonly disk: SimDisk
  private readonly clock = new SimClock()
  private readonly oracle = new CrashOracle()
  private view: ReadOnlyLog | undefined
  private ends = places.map(() => 0)
  private id = 0
  private kills = 0
  private failures = 0
  private commits = 0
  private looks = 0
  private followed = 0

  constructor(seed: number) {
    this.random = new Random(seed)
    this.disk = new SimDisk(seed ^ 0x2545f491)
  }

  async run(): Promise<ReadOnlyResult> {
    let violation: string | undefined
    try {
      const lives = 3 + this.random.int(4)
      for (let life = 0; life <= lives; life++) await this.life(life === lives)
    } catch (error) {
      if (!(error instanceof Violation)) throw error
      violation = error.message
    }
    const { kills, failures, commits, looks, followed } = this
    return { violation, trace: this.disk.trace, kills, failures, commits, looks, followed }
  }

  private async life(last: boolean): Promise<void> {
    const { random, disk } = this
    disk.note(`--- ${last ? 'last life' : 'life'}`)
    const faults = { ...noSimFaults }
    if (!last && random.chance(0.3)) faults.syncFails = 0.05
    if (!last && random.chance(0.3)) faults.writeFull = 0.08
    const operationsMax = last || random.chance(0.4) ? Number.POSITIVE_INFINITY : random.int(250)
    const fs = disk.mount({ operationsMax, faults })
    const over = new AbortController()
    const watched = this.watch(over.signal).then(
      () => undefined,
      (error: unknown) => error,
    )
    const lived = this.write(fs, last).then(
      () => undefined,
      (error: unknown) => error,
    )
    const error = await Promise.race([lived, fs.killed])
    if (fs.dead) this.kills++
    fs.kill('the life ends')
    over.abort()
    const broken = await watched
    if (broken !== undefined) throw broken
    this.failures += fs.failures
    if (error !== undefined && !['DISK_FULL', 'LOG_UNAVAILABLE'].includes(codeOf(error) ?? '')) throw error
    // What a killed writer left behind does not break a view either.
    await this.look()
    if (this.view) this.followed++
    if (!random.chance(0.3)) return
    await this.view?.close()
    this.view = undefined
    disk.losePower()
  }

  /** The other process: looks again and again. */
  private async watch(over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      await this.look()
      for (let turns = this.random.int(40); turns > 0; turns--) await undefined
      if (this.random.chance(0.3)) await turn()
      if (this.random.chance(0.05)) {
        await this.view?.close()
        this.view = undefined
      }
    }
  }

  private async look(): Promise<void> {
    try {
      // A new one may show less: when the frame behind the last one shown is lost, that one is hidden until it is recovered.
      if (this.view === undefined) this.ends = places.map(() => 0)
      const view = (this.view ??= await this.openView())
      if (await view.refresh()) this.looks++
      if (view.topic('a') === undefined || view.topic('table') === undefined) return
      const seen = await lookAt(view)
      this.oracle.saw(seen)
      for (const [place, { start, end }] of seen.bounds.entries()) {
        const { length } = seen.records[place]!
        if (place !== tablePlace && length !== end - start) throw new Violation(`the view has ${length} records in [${start}, ${end})`)
        if (end < this.ends[place]!) throw new Violation(`the view goes back from ${this.ends[place]} to ${end} in place ${place}`)
        this.ends[place] = end
      }
    } catch (error) {
      // Nothing there yet; trimmed while it was reading.
      if (!['LOG_UNAVAILABLE', 'OFFSET_OUT_OF_RANGE'].includes(codeOf(error) ?? '')) throw asViolation(error)
    }
  }

  private openView(): Promise<ReadOnlyLog> {
    return ReadOnlyLog.open({ fs: this.disk.mount(), clock: new HastyClock(this.clock) })
  }

  private async write(fs: SimFs, last: boolean): Promise<void> {
    const log = await this.open(fs)
    await log.createTopic({ name: 'a', partitions: 3, kind: 'stream' })
    await log.createTopic({ name: 'table', partitions: 1, kind: 'table', compacted: true })
    const producer = await log.producer('writer')
    this.oracle.check(await lookAt(log), producer.end)
    let { end } = producer
    for (let step = 4 + this.random.int(16); step > 0; step--) end = await this.step(log, producer, end)
    if (!last && this.random.chance(0.5)) return
    const everything = await lookAt(log)
    if (this.random.chance(0.5)) await log.close()
    else {
      // A second without commits.
      this.clock.advance(1000)
      for (let i = 0; i < 3; i++) await turn()
    }
    await this.compare(log, JSON.stringify(everything))
    await log.close()
  }

  /** A writer that is quiet or closed is seen whole. */
  private async compare(log: EmbeddedLog, everything: string): Promise<void> {
    const view = await this.openView().catch((error: unknown) => {
      throw asViolation(error)
    })
    const seen = await lookAt(view)
    // On a full disk there is no room for a quiet frame.
    if (!this.disk.trace.some((line) => line.startsWith('DISK FULL')) && JSON.stringify(seen) !== everything)
      throw new Violation('a quiet log is not seen whole')
    if (JSON.stringify(view.topics()) !== JSON.stringify(log.topics())) throw new Violation('topics differ')
    await view.close()
  }

  private async step(log: EmbeddedLog, producer: Producer, end: Producer['end']): Promise<Producer['end']> {
    const { random, clock } = this
    clock.advance(random.int(20))
    const x = random.next()
    if (x < 0.65) return this.commit(producer, end)
    if (x < 0.77) await tolerant(log.rewrite())
    else if (x < 0.83) await tolerant(log.compact('table'))
    else if (x < 0.9) {
      const { start, end } = log.bounds('a', 2)
      const before = start + random.int(end - start + 1)
      await tolerant(log.trim('a', 2, before).then(() => this.oracle.trimmed(2, before)))
    } else {
      clock.advance(1000)
      await turn()
    }
    return end
  }

  private async commit(producer: Producer, expect: Producer['end']): Promise<Producer['end']> {
    const id = ++this.id
    const to = places.flatMap((_, place) => (this.random.chance(0.55) ? [place] : []))
    if (to.length === 0) to.push(0)
    const next = { seq: id, hash: `hash-${id}` }
    this.oracle.sent(id, to)
    try {
      const { baseOffsets, appendTime } = await producer.commit({ expect, next, appends: to.map((place) => appendOf(place, id)) })
      this.oracle.acknowledged(id, baseOffsets, appendTime)
      this.commits++
      return next
    } catch (error) {
      const code = codeOf(error)
      if (code === 'DISK_FULL' || code === 'COMMIT_CONFLICT') this.oracle.refuse(id)
      else if (code !== 'COMMIT_OUTCOME_UNKNOWN' && code !== 'LOG_UNAVAILABLE') throw error
      return expect
    }
  }

  private open(fs: SimFs): Promise<EmbeddedLog> {
    const killPoint = this.random.chance(0.3) ? logProbePoints[this.random.int(logProbePoints.length)] : undefined
    let killIn = 1 + this.random.int(3)
    return EmbeddedLog.open({
      fs,
      clock: this.clock,
      // With so little, almost all blocks count as large, and stay in their log file.
      settings: this.random.chance(0.4) ? { ...settings, joinedBlockBytes: 300 } : settings,
      newLogId: () => BigInt(1 + this.random.int(1e9)),
      fatal: (error) => fs.kill(`fatal: ${error}`),
      probe: {
        at: (point) => {
          if (point === killPoint && --killIn === 0) fs.kill(`at ${point}`)
        },
      },
    })
  }
}

/** Does not wait: what the others do meanwhile passes the time. */
class HastyClock implements Clock {
  private readonly clock: Clock

  constructor(clock: Clock) {
    this.clock = clock
  }

  now() {
    return this.clock.now()
  }

  monotonic() {
    return this.clock.monotonic()
  }

  sleep() {
    return turn()
  }

  async yield() {}
}

function asViolation(error: unknown): unknown {
  return codeOf(error) === undefined ? error : new Violation(`the view fails: ${error}`)
}

async function tolerant(work: Promise<unknown>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!['DISK_FULL', 'LOG_UNAVAILABLE', 'COMMIT_OUTCOME_UNKNOWN'].includes(codeOf(error) ?? '')) throw error
  })
}

function appendOf(place: number, id: number) {
  const builder = new BlockBuilder()
  builder.add({ key: Buffer.from(keyOf(id)), value: bytesOf(id), eventTime: id })
  return { ...places[place]!, block: builder.finish() }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
