import { BlockBuilder } from '../../../../engine/block/block-builder.ts'
import { codeOf } from '../../../../engine/errors.ts'
import { EmbeddedLog } from '../../../../engine/log/embedded/embedded-log.ts'
import { logFileName, parseFileName } from '../../../../engine/log/embedded/file-names.ts'
import { readLogHead, scanFrames } from '../../../../engine/log/embedded/log-scan.ts'
import { logProbePoints } from '../../../../engine/log/embedded/probe-points.ts'
import { EmbeddedReaderHost } from '../../../../engine/log/embedded/reader-host.ts'
import type { EmbeddedLogSettings } from '../../../../engine/log/embedded/settings.ts'
import { verifyLog } from '../../../../engine/log/embedded/verify-log.ts'
import type { FileSystem } from '../../../../engine/ports/file-system.ts'
import type { Append, Producer, ProducerEnd } from '../../../../engine/ports/log.ts'
import { Random } from '../../../support/random.ts'
import { SimClock } from '../../../support/sim-clock.ts'
import { noSimFaults, SimDisk, type SimFs } from '../../../support/sim-fs.ts'
import { bytesOf, CrashOracle, keyOf, lookAt, places, Violation } from './crash-oracle.ts'

export interface CrashOptions {
  readonly seed: number
  readonly failedSyncs?: boolean
  readonly fullDisk?: boolean
  readonly bitRot?: boolean
  /** Stands between the log and the disk: for file systems that break their promises. */
  readonly wrap?: (fs: FileSystem) => FileSystem
}

export interface CrashResult {
  readonly violation: string | undefined
  readonly trace: readonly string[]
  /** What took place: a run in which nothing did proves nothing. */
  readonly points: ReadonlyMap<string, number>
  readonly kills: number
  readonly failures: number
  readonly commits: number
  readonly corruptionReported: boolean
}

const settings: Partial<EmbeddedLogSettings> = {
  logFileBytes: 6000,
  fillAheadBytes: 16_384,
  ownSegmentBytesMin: 3000,
  mixedSegmentsMax: 3,
  joinedBlockBytes: 2500,
  reserveBytes: 2048,
  rewriteBacklogBytesMax: 60_000,
}

/** With so little, almost all blocks count as large, and stay in their log file. */
const blocksStay = 300

/** Several lives of one log, each ended by a kill, a failed sync or a loss of power; checks at the beginning of each. */
export async function crashRun(options: CrashOptions): Promise<CrashResult> {
  return new CrashRun(options).run()
}

class CrashRun {
  private readonly options: CrashOptions
  private readonly random: Random
  private readonly disk: SimDisk
  private readonly clock = new SimClock()
  private readonly oracle = new CrashOracle()
  private readonly points = new Map<string, number>()
  private id = 0
  private kills = 0
  private failures = 0
  private commits = 0
  private rotten: { lastFrame: boolean } | undefined
  private corruptionReported = false
  private hasTopics = false

  constructor(options: CrashOptions) {
    this.options = options
    this.random = new Random(options.seed)
    this.disk = new SimDisk(options.seed ^ 0x5bd1e995)
  }

  async run(): Promise<CrashResult> {
    let violation: string | undefined
    try {
      const lives = 2 + this.random.int(4)
      for (let life = 0; life <= lives && !this.corruptionReported; life++) await this.life(life === lives)
    } catch (error) {
      if (!(error instanceof Violation)) throw error
      violation = error.message
    }
    const { points, kills, failures, commits, corruptionReported } = this
    return { violation, trace: this.disk.trace, points, kills, failures, commits, corruptionReported }
  }

  private async life(last: boolean): Promise<void> {
    const { random, disk, options } = this
    disk.note(`--- ${last ? 'last life' : 'life'}`)
    const operationsMax = last || random.chance(0.3) ? Number.POSITIVE_INFINITY : Math.floor(random.next() * random.next() * 250)
    const faulty = !last && random.chance(0.4)
    const faults = { ...noSimFaults }
    if (faulty && options.failedSyncs) faults.syncFails = 0.08
    if (faulty && options.fullDisk) {
      if (random.chance(0.5)) faults.writeFull = 0.1
      else faults.quota = disk.bytesUsed() + 2000 + random.int(20_000)
    }
    const fs = disk.mount({ operationsMax, faults })
    await this.verify()
    const lived = this.live(fs, last).then(
      () => undefined,
      (error) => error ?? new Error('failed with nothing'),
    )
    const error = await Promise.race([lived, fs.killed])
    if (fs.dead) this.kills++
    fs.kill('the life ends')
    await settled()
    this.failures += fs.failures
    if (error !== undefined) this.judge(error)
    if (random.chance(0.55)) disk.losePower()
    if (options.bitRot && !this.rotten && random.chance(0.5)) this.rot()
  }

  /** What ended a life that was not killed. */
  private judge(error: unknown): void {
    const code = codeOf(error)
    if (code === 'LOG_CORRUPT') {
      if (!this.rotten) throw new Violation(`false corruption: ${(error as Error).message}`)
      this.corruptionReported = true
    } else if (error instanceof Violation && this.rotten?.lastFrame) this.corruptionReported = true
    else if (code === 'LOG_UNAVAILABLE' && this.options.failedSyncs) return
    else if (code !== 'DISK_FULL' || !this.options.fullDisk) throw error
  }

  private async live(fs: SimFs, last: boolean): Promise<void> {
    const log = await this.open(fs)
    await this.prepare(log)
    const producer = await log.producer('writer')
    if (producer.epoch <= this.oracle.lastEpoch) throw new Violation(`epoch ${producer.epoch} was given before`)
    this.oracle.lastEpoch = producer.epoch
    this.oracle.check(await lookAt(log), producer.end)
    if (last) {
      await log.close()
      const again = await this.open(fs)
      this.oracle.check(await lookAt(again), again.producerEnd('writer')!)
      return
    }
    const follower = this.options.wrap ? undefined : await EmbeddedReaderHost.attach(log.handle(), { fs })
    const session = new Session(log, producer, follower)
    const steps = 4 + this.random.int(16)
    for (let step = 0; step < steps; step++) {
      const followed = this.random.chance(0.4) ? this.follow(session) : undefined
      await this.step(session)
      await followed
    }
    if (this.random.chance(0.5)) await log.close()
  }

  /** Another thread reads along. */
  private async follow({ follower }: Session): Promise<void> {
    if (follower === undefined) return
    try {
      await follower.refresh()
      this.oracle.saw(await lookAt(follower))
    } catch (error) {
      // Trimmed while it was reading.
      if (codeOf(error) !== 'OFFSET_OUT_OF_RANGE') throw error
    }
  }

  private async open(fs: SimFs): Promise<EmbeddedLog> {
    // Rare ones are what a full disk brings about.
    const points =
      this.options.fullDisk && this.random.chance(0.4) ? logProbePoints.filter((point) => point.startsWith('log.full')) : logProbePoints
    const killPoint = this.random.chance(0.3) ? points[this.random.int(points.length)] : undefined
    let killIn = 1 + this.random.int(3)
    const endless = fs.faults === noSimFaults
    return EmbeddedLog.open({
      fs: this.options.wrap ? this.options.wrap(fs) : fs,
      clock: this.clock,
      settings: this.random.chance(0.4) ? { ...settings, joinedBlockBytes: blocksStay } : settings,
      newLogId: () => BigInt(1 + this.random.int(1e9)),
      fatal: (error) => fs.kill(`fatal: ${error}`),
      probe: {
        at: (point) => {
          this.points.set(point, (this.points.get(point) ?? 0) + 1)
          if (point === killPoint && !endless && --killIn === 0) fs.kill(`at ${point}`)
        },
      },
    })
  }

  private async prepare(log: EmbeddedLog): Promise<void> {
    const there = log.topic('a') !== undefined && log.topic('table') !== undefined
    if (this.hasTopics && !there) throw new Violation('a topic that was made is gone')
    await log.createTopic({ name: 'a', partitions: 3, kind: 'stream' })
    await log.createTopic({ name: 'table', partitions: 1, kind: 'table', compacted: true })
    this.hasTopics = true
  }

  private async step(session: Session): Promise<void> {
    const { random, clock } = this
    const { log } = session
    clock.advance(random.int(20))
    const x = random.next()
    if (x < 0.62) return this.commitSome(session)
    if (x < 0.72) return this.tolerant(log.rewrite())
    if (x < 0.78) return this.tolerant(log.compact('table'))
    if (x < 0.84) return this.trim(session)
    if (x < 0.94) {
      clock.advance(1000)
      return settled()
    }
    return this.tolerant(this.checkBackup(log))
  }

  /** One or more, not waiting for each other. */
  private async commitSome(session: Session): Promise<void> {
    const { random, oracle } = this
    const sent: Promise<void>[] = []
    let { end } = session
    for (let n = 1 + (random.chance(0.3) ? random.int(4) : 0); n > 0; n--) {
      const id = ++this.id
      const to = places.flatMap((_, place) => (random.chance(0.55) ? [place] : []))
      if (to.length === 0) to.push(0)
      const next = { seq: id, hash: `hash-${id}` }
      oracle.sent(id, to)
      const answer = session.producer.commit({ expect: end, next, appends: to.map((place) => appendOf(place, id)) })
      end = next
      sent.push(
        answer.then(
          ({ baseOffsets, appendTime }) => {
            oracle.acknowledged(id, baseOffsets, appendTime)
            session.end = next
            this.commits++
          },
          (error) => {
            const code = codeOf(error)
            if (code === 'DISK_FULL' || code === 'COMMIT_CONFLICT') oracle.refuse(id)
            else if (code !== 'COMMIT_OUTCOME_UNKNOWN' && code !== 'LOG_UNAVAILABLE') throw error
          },
        ),
      )
    }
    await Promise.all(sent)
  }

  private async trim({ log }: Session): Promise<void> {
    const { start, end } = log.bounds('a', 2)
    const before = start + this.random.int(end - start + 1)
    await this.tolerant(log.trim('a', 2, before).then(() => this.oracle.trimmed(2, before)))
  }

  private async checkBackup(log: EmbeddedLog): Promise<void> {
    const disk = new SimDisk(this.random.int(1e9))
    const fs = disk.mount()
    const before = log.producerEnd('writer')
    await log.backup(fs)
    disk.losePower()
    const copy = await EmbeddedLog.open({ fs, clock: this.clock, settings })
    if (JSON.stringify(copy.producerEnd('writer')) !== JSON.stringify(before)) throw new Violation('the copy has another end')
    const [found, wanted] = [await lookAt(copy), await lookAt(log)]
    if (JSON.stringify(found) !== JSON.stringify(wanted)) throw new Violation('the copy has other records')
    await copy.close()
  }

  /** Maintenance may fail on a full disk and is then done later. */
  private async tolerant(work: Promise<unknown>): Promise<void> {
    await work.catch((error) => {
      const code = codeOf(error)
      if (code !== 'DISK_FULL' && code !== 'LOG_UNAVAILABLE' && code !== 'COMMIT_OUTCOME_UNKNOWN') throw error
    })
  }

  /** Whatever a crash leaves behind is no damage. */
  private async verify(): Promise<void> {
    if (this.rotten) return
    const { faults } = await verifyLog(this.disk.mount())
    if (faults.length > 0) throw new Violation(`false corruption: verification finds ${JSON.stringify(faults)}`)
  }

  private rot(): void {
    const { disk } = this
    const seen = new Map(disk.list().map((name) => [name, disk.content(name)]))
    // What stands behind it counts only as far as it is durable.
    const last = [lastFrameIn(seen), lastFrameIn(disk.durableContent())]
    const rotten = disk.rot()
    if (rotten) this.rotten = { lastFrame: last.some((one) => one?.name === rotten.name && rotten.position >= one.position) }
  }
}

/** The last frame of all: until another stands behind it, damage to it can't be told from a torn write. */
function lastFrameIn(files: ReadonlyMap<string, Buffer>): { name: string; position: number } | undefined {
  const numbers = [...files.keys()].flatMap((name) => (parseFileName(name)?.kind === 'log' ? [parseFileName(name)!.number] : []))
  for (const number of numbers.sort((a, b) => b - a)) {
    const name = logFileName(number)
    const bytes = files.get(name)!
    const head = readLogHead(bytes, number)
    if ('reason' in head) continue
    const last = scanFrames(bytes, head).frames.at(-1)
    // A head alone was shown to no one; the file before it is still in force.
    if (last) return { name, position: last.position }
  }
  return undefined
}

class Session {
  readonly log: EmbeddedLog
  readonly producer: Producer
  /** Of the last commit that was acknowledged. */
  end: ProducerEnd
  readonly follower: EmbeddedReaderHost | undefined

  constructor(log: EmbeddedLog, producer: Producer, follower: EmbeddedReaderHost | undefined) {
    this.follower = follower
    this.log = log
    this.producer = producer
    this.end = producer.end
  }
}

function appendOf(place: number, id: number): Append {
  const builder = new BlockBuilder()
  builder.add({ key: Buffer.from(keyOf(id)), value: bytesOf(id), eventTime: id })
  return { ...places[place]!, block: builder.finish() }
}

/** All that can happen without time passing has happened. */
async function settled(): Promise<void> {
  for (let i = 0; i < 2; i++) await new Promise((resolve) => setImmediate(resolve))
}
