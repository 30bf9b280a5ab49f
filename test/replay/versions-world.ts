import { KitVersion, type VersionWorld } from '../../deploy/testing/kit-version.ts'
import { ManualClock } from '../../deploy/testing/manual-clock.ts'
import { BlockBuilder } from '../../engine/block/block-builder.ts'
import { codeOf } from '../../engine/errors.ts'
import { MemoryLog } from '../../engine/log/memory/memory-log.ts'
import { readRecords } from '../../engine/log/read-records.ts'
import type { LogRecord } from '../../engine/model/record.ts'
import type { Totals } from '../../engine/model/slice.ts'
import type { Topology } from '../../engine/model/topology.ts'
import { noProbe } from '../../engine/ports/world.ts'
import { defaultRuntimeSettings, type RuntimeSettings } from '../../engine/runtime/settings.ts'
import { decide } from '../../replay/control-log.ts'
import { type CutOverRequest, cutOver } from '../../replay/cut-over.ts'
import { VersionBoard } from '../../replay/version-board.ts'
import { recordOf } from '../../replay/version-record.ts'
import { recordsOf } from '../sim/log-records.ts'

/** Several versions of one job over one log in memory, each a task of its own. Time moves only when it is told to. */
export class VersionsWorld {
  readonly clock = new ManualClock(1_000_000_000)
  readonly board = new VersionBoard()
  readonly log = new MemoryLog({ clock: this.clock })
  private readonly job: string
  private readonly outputs: readonly string[]
  private readonly world: VersionWorld
  private readonly versions = new Map<number, KitVersion>()
  private sent = 0

  constructor(job: string, outputs: readonly string[], settings: Partial<RuntimeSettings> = {}) {
    this.job = job
    this.outputs = outputs
    this.world = {
      log: this.log,
      clock: this.clock,
      parallelism: 1,
      settings: { ...defaultRuntimeSettings, strict: true, ...settings },
      memoryBytesMax: 64 << 20,
      steering: (version) => this.board.steering(version),
      stirred: () => {},
    }
  }

  async createSources(partitions: Readonly<Record<string, number>>): Promise<void> {
    for (const [name, count] of Object.entries(partitions)) await this.log.createTopic({ name, partitions: count, kind: 'stream' })
  }

  async deploy(version: number, topology: Topology, parallelism = 1): Promise<void> {
    this.board.control = await decide(this.log, this.job, this.board.control, {
      type: 'registered',
      at: this.clock.now(),
      version,
      sha256: String(version),
      parallelism,
      fingerprint: '',
    })
    const deployed = new KitVersion(version, topology, this.world, parallelism)
    this.versions.set(version, deployed)
    void deployed.run('stopped')
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
  async cutOver(to: number, more: Partial<CutOverRequest> = {}): Promise<boolean> {
    const { log, clock, board, job, outputs } = this
    let done = false
    const outcome = cutOver({ log, clock, probe: noProbe, board, job, outputs }, { to, holdMs: 500, ...more })
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
    await this.kill(version)
    void this.versions.get(version)!.run('stopped')
  }

  /** The version's task dies. */
  async kill(version: number): Promise<void> {
    const { crash, done } = this.versions.get(version)!.running!
    crash.abort(new Error('crash'))
    await Promise.allSettled([done])
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

  /** All that one version gave for an output, wherever it went. */
  async recordOf(version: number, output: string): Promise<LogRecord[]> {
    const found: LogRecord[] = []
    for (let partition = 0; partition < this.log.topic(output)!.partitions; partition++)
      for (const { topic, from, to } of recordOf(this.board.control, this.job, version, output, partition))
        for await (const record of readRecords(this.log, topic, partition, from, to)) found.push(record)
    return found
  }

  async close(): Promise<void> {
    await this.stop()
    await this.log.close()
  }

  /** No more input comes: the version that publishes gives what is open; the others stop before. */
  async complete(): Promise<Totals> {
    await this.settle()
    const { owner } = this.board.control
    await this.stop()
    const done = this.versions.get(owner!)!.run('complete')
    const timer = setInterval(() => this.clock.wakeAll(), 1)
    try {
      return await done
    } finally {
      clearInterval(timer)
    }
  }

  private async stop(): Promise<void> {
    for (const { running } of this.versions.values()) running?.stop.abort()
    for (const { running } of this.versions.values()) await Promise.allSettled([running?.done])
  }
}
