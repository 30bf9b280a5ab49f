import { BlockBuilder } from '../../engine/block/block-builder.ts'
import { ByteSink } from '../../engine/block/byte-sink.ts'
import { StreamError } from '../../engine/errors.ts'
import { MemoryLog } from '../../engine/log/memory/memory-log.ts'
import { partitionOf } from '../../engine/log/partitioner.ts'
import { readRecords } from '../../engine/log/read-records.ts'
import type { EpochMs, Key, LogRecord } from '../../engine/model/record.ts'
import type { Totals } from '../../engine/model/slice.ts'
import { type KeptState, outputTopics, type TopicDefinition, type Topology } from '../../engine/model/topology.ts'
import { noProbe } from '../../engine/ports/world.ts'
import { jobTopics } from '../../engine/runtime/plan.ts'
import { defaultRuntimeSettings } from '../../engine/runtime/settings.ts'
import { writeKey } from '../../engine/task/key-bytes.ts'
import { invalid } from '../../operators/invalid.ts'
import { stateStore, valuePut } from '../../operators/process/state-handles.ts'
import type { Topic } from '../../operators/topic.ts'
import { decide } from '../../replay/control-log.ts'
import { cutOver } from '../../replay/cut-over.ts'
import { VersionBoard } from '../../replay/version-board.ts'
import { checkOption, checkOptions, type TestKitOptions } from './kit-options.ts'
import { KitVersion, type VersionWorld } from './kit-version.ts'
import { ManualClock } from './manual-clock.ts'

/** A record as a test reads it: decoded by its topic's codec. */
export interface OutputRecord<T> {
  readonly partition: number
  readonly offset: number
  readonly key: string | null
  readonly value: T | null
  readonly eventTime: EpochMs
}

export interface SentRecord {
  readonly key?: Key | null
  readonly partition?: number
  readonly eventTime?: EpochMs
  readonly headers?: Readonly<Record<string, string | Uint8Array>>
}

export interface RawRecord {
  readonly topic: string
  readonly value: string | Uint8Array | null
  readonly key?: Key | null
  readonly partition?: number
  readonly eventTime?: EpochMs
  readonly headers?: Readonly<Record<string, string | Uint8Array>>
}

/** Raised inside tasks by `crash`; never reaches the test. */
class Crashed extends Error {}

/**
 * Runs a job without disk, sockets or real time. Sent records are in the log at once; `settle` waits until the job has done all it can.
 * Everything is deterministic but the sizes of slices, which the results must not depend on.
 * The job is run as the test imported it, outside of the sandbox: its `Date` is the host's, also in values that come back from state.
 */
export class TestKit implements AsyncDisposable {
  readonly clock: ManualClock
  private readonly options: TestKitOptions
  private readonly log: MemoryLog
  private readonly world: VersionWorld
  /** By number, from 1 on. */
  private readonly versions: KitVersion[] = []
  /** Absent while there is one version. */
  private board: VersionBoard | undefined
  private wakeSettle: (() => void) | undefined
  private sequence = 0
  private completed: Totals | undefined
  private told = false

  /** Errors: JOB_INVALID for options that mean nothing. */
  static async start(topology: Topology, options: TestKitOptions = {}): Promise<TestKit> {
    checkOptions(topology, options)
    const kit = new TestKit(topology, options)
    for (const node of topology.nodes) {
      if (node.kind !== 'source') continue
      await kit.log.createTopic({
        name: node.topic.name,
        kind: node.topic.kind,
        partitions: options.partitions?.[node.topic.name] ?? node.topic.partitions ?? 1,
      })
    }
    kit.runAll()
    // The job's topics are there when the test begins.
    await kit.settle()
    return kit
  }

  private constructor(topology: Topology, options: TestKitOptions) {
    this.options = options
    this.clock = new ManualClock(
      typeof options.startAt === 'string' ? Date.parse(options.startAt) : (options.startAt ?? Date.UTC(2026, 0, 1)),
    )
    this.log = new MemoryLog({ clock: this.clock })
    this.world = {
      log: this.log,
      clock: this.clock,
      parallelism: options.parallelism ?? 1,
      settings: { ...defaultRuntimeSettings, strict: true, ...options.settings },
      memoryBytesMax: options.memoryBytesMax ?? 256 << 20,
      steering: (version) => this.board?.steering(version),
      stirred: () => this.wakeSettle?.(),
    }
    this.versions.push(new KitVersion(1, topology, this.world))
  }

  /** Appends values to a topic of the job, encoded by its codec; keys and partitions as its definition says, or as given. */
  async send<T>(topic: Topic<unknown, T>, values: readonly T[], as: SentRecord = {}): Promise<void> {
    const { definition } = topic
    for (const value of values) {
      const out = new ByteSink()
      definition.codec.encode(value, out)
      const key = as.key !== undefined ? as.key : (definition.key?.(value) ?? null)
      const eventTime = as.eventTime ?? definition.eventTime?.(value) ?? this.clock.now()
      await this.sendRaw([
        {
          topic: definition.name,
          value: out.buf.subarray(0, out.at),
          key,
          eventTime,
          ...(as.partition === undefined ? {} : { partition: as.partition }),
          ...(as.headers === undefined ? {} : { headers: as.headers }),
        },
      ])
    }
  }

  /** Appends bytes as they are: for records that no codec would write. */
  async sendRaw(records: readonly RawRecord[]): Promise<void> {
    this.checkOpen()
    for (const { topic, value, key = null, partition, eventTime, headers = {} } of records) {
      const partitions = this.partitionsOf(topic)
      const keyBytes = new ByteSink()
      if (key !== null) writeKey(key, keyBytes)
      const builder = new BlockBuilder()
      builder.add({
        key: key === null ? null : keyBytes.buf.subarray(0, keyBytes.at),
        value: value === null ? null : Buffer.from(value as string),
        eventTime: eventTime ?? this.clock.now(),
        headers: Object.entries(headers).map(([name, value]) => ({ name, value: Buffer.from(value as string) })),
      })
      const to = partition ?? (key === null ? 0 : partitionOf(keyBytes.buf, 0, keyBytes.at, partitions))
      const producer = await this.log.producer(`test-${this.sequence++}`)
      await producer.commit({
        expect: { seq: 0, hash: '' },
        next: { seq: 1, hash: '' },
        appends: [{ topic, partition: to, block: builder.finish() }],
      })
    }
  }

  /** Waits until everything sent is processed and committed, at the present time. Throws what stopped the job. */
  async settle(): Promise<void> {
    for (;;) {
      this.throwFailure()
      if (this.completed !== undefined) return
      if (this.quiet()) {
        if (this.board === undefined) return
        // What one version has done may be about to wake another.
        const changes = this.log.changes()
        for (let turn = 0; turn < 4; turn++) await this.clock.yield()
        if (this.quiet() && this.log.changes() === changes) return
        continue
      }
      await new Promise<void>((resolve) => {
        this.wakeSettle = resolve
      })
    }
  }

  /**
   * Starts another version of the job beside the one that publishes. It takes the same input from the beginning, and its results are its own
   * until it is promoted. JOB_INVALID for another job's topology. Settles.
   * @returns its number.
   */
  async deploy(topology: Topology): Promise<number> {
    this.checkOpen()
    checkVersion(this.job, topology)
    if (this.board === undefined) await this.beginBoard()
    const version = new KitVersion(this.versions.length + 1, topology, this.world)
    await this.register(version)
    this.versions.push(version)
    void version.run('stopped')
    await this.settle()
    return version.number
  }

  /** The version publishes from one point of the input on, the one that did goes on beside it. Settles. CUT_OVER_ABORTED when it does so already. */
  async promote(version: number): Promise<void> {
    this.checkOpen()
    const { log, clock, board, job } = this
    if (board === undefined || this.versions[version - 1] === undefined) {
      throw new StreamError('VERSION_UNKNOWN', { job, version }, { fix: 'deploy it first' })
    }
    await this.settle()
    await cutOver(
      { log, clock, probe: noProbe, board, job, outputs: outputTopics(this.owner.topology).map(({ name }) => name) },
      { to: version, holdMs: Number.POSITIVE_INFINITY },
    )
    await this.settle()
  }

  /** The way back: the version that published before does so again. Settles. */
  async rollback(): Promise<void> {
    const { board, job } = this
    const former = board === undefined ? undefined : board.control.cutOvers.get(this.owner.number)?.from
    if (former === undefined)
      throw new StreamError('VERSION_UNKNOWN', { job, reason: 'no version published before' }, { fix: 'promote one first' })
    await this.promote(former)
  }

  /** What a version has computed and not published, as `output`. */
  privateOutput<T>(topic: Topic<T, never>, version: number): Promise<OutputRecord<T>[]> {
    return this.decoded(jobTopics(this.job, version).privately(topic.definition.name), topic)
  }

  /** Moves time on in small steps: idle partitions, processing time and timers come due. Settles. */
  async advanceTime(ms: number, stepMs = Math.max(1, Math.ceil(ms / 10))): Promise<void> {
    this.checkOpen()
    checkOption('ms', ms, ms >= 0 && Number.isFinite(ms), 'milliseconds, 0 or more')
    checkOption('stepMs', stepMs, stepMs > 0, 'milliseconds, more than 0')
    for (let left = ms; left > 0; left -= stepMs) {
      await this.settle()
      for (const { waiting } of this.versions) waiting.clear()
      this.clock.advance(Math.min(stepMs, left))
      // All of them, so that each tells again that it waits.
      this.clock.wakeAll()
    }
    await this.settle()
  }

  /** The process dies: what was not committed is gone, the job recovers from its last checkpoint and its journal. */
  async crash(): Promise<void> {
    this.checkOpen()
    for (const { running } of this.versions) running?.crash.abort(new Crashed())
    await this.ended()
    this.runAll()
  }

  /** A clean stop (with a checkpoint) and a new start. */
  async restart(): Promise<void> {
    this.checkOpen()
    await this.stopAll()
    this.runAll()
  }

  /** No more input comes: everything open fires, of the version that publishes. Nothing can be sent afterwards: JOB_SEALED. Again: the same totals. */
  async complete(): Promise<Totals> {
    await this.settle()
    if (this.completed !== undefined) return this.completed
    await this.stopAll()
    const done = this.owner.run('complete')
    // Tasks look now and then whether those before them have ended. Time stands still: results must not depend on how long this takes.
    const timer = setInterval(() => this.clock.wakeAll(), 1)
    try {
      await this.ended()
      this.completed = await done
      return this.completed
    } finally {
      clearInterval(timer)
    }
  }

  /** What stands in a topic, decoded; in order of partition and offset. */
  output<T>(topic: Topic<T, never>): Promise<OutputRecord<T>[]> {
    return this.decoded(topic.definition.name, topic)
  }

  private async decoded<T>(name: string, { definition: { codec } }: Topic<T, never>): Promise<OutputRecord<T>[]> {
    return (await this.records(name)).map(({ record, partition }) => ({
      partition,
      offset: record.offset,
      key: record.key === null ? null : Buffer.from(record.key).toString(),
      value: record.value === null ? null : (decodeOne(codec, record.value) as T),
      eventTime: record.eventTime,
    }))
  }

  /** The last value of each key of a topic. */
  async table<T>(topic: Topic<T, never>): Promise<Map<string, T>> {
    const rows = new Map<string, T>()
    for (const { key, value } of await this.output(topic)) {
      if (key === null) continue
      if (value === null) rows.delete(key)
      else rows.set(key, value)
    }
    return rows
  }

  /** Records of any topic, undecoded. */
  async raw(topic: string): Promise<LogRecord[]> {
    return (await this.records(topic)).map(({ record }) => record)
  }

  deadLetters(): Promise<LogRecord[]> {
    return this.raw(jobTopics(this.job, 1).deadLetters)
  }

  /** Late records that no side output took. */
  late(): Promise<LogRecord[]> {
    return this.raw(jobTopics(this.job, 1).late)
  }

  /**
   * What a process of the version that publishes keeps for a key: the value of a `value` state, or with `mapKey` that of an entry of a `map` state.
   * Undefined: nothing. One whose time to live is over may still be seen until the job removes it. JOB_INVALID when there is no such state.
   */
  state<V>(operator: string, name: string, key: Key, mapKey?: Key): V | undefined {
    const kept = this.kept(operator, name, mapKey === undefined ? 'value' : 'map')
    for (const state of this.owner.states.values()) {
      const store = state.store<unknown>(stateStore(operator, name))
      // Plain values are in one group, by key; a map is a group of its own.
      const stored = mapKey === undefined ? store.group('')?.get(key) : store.group(key)?.get(mapKey)
      if (stored !== undefined) return valuePut(stored, kept) as V
    }
    return undefined
  }

  /** Else a name that is misspelt would look as if nothing were kept. */
  private kept(operator: string, name: string, kind: KeptState['kind']): KeptState {
    const { nodes } = this.owner.topology
    const states = nodes.flatMap((node) =>
      node.kind === 'operator' ? Object.entries(node.states ?? {}).map(([state, spec]) => ({ operator: node.name, state, spec })) : [],
    )
    const found = states.find((one) => one.operator === operator && one.state === name && one.spec.kind === kind)
    if (found !== undefined) return found.spec
    const there = states.map((one) => `${one.spec.kind} ${one.operator}/${one.state}`).join(', ')
    throw invalid(
      { job: this.job, operator, state: name },
      `no process keeps such a ${kind}`,
      `kept are: ${there || 'none'}; a map is asked for with mapKey`,
    )
  }

  /** The same input from the beginning in a new kit: at another speed, with other partitions of work. Ends settled. */
  async replay(options: TestKitOptions = {}): Promise<TestKit> {
    const { topology } = this.owner
    const kit = new TestKit(topology, { ...this.options, ...options })
    const sources = new Set(topology.nodes.filter((node) => node.kind === 'source').map((node) => node.topic.name))
    kit.clock.advance(Math.max(0, this.clock.now() - kit.clock.now()))
    for (const name of sources) {
      const info = this.log.topic(name)!
      await kit.log.createTopic({ name, kind: info.kind, partitions: info.partitions })
      for (const { record, partition } of await this.records(name)) {
        const builder = new BlockBuilder()
        builder.add(record)
        const producer = await kit.log.producer(`replay-${kit.sequence++}`)
        await producer.commit({
          expect: { seq: 0, hash: '' },
          next: { seq: 1, hash: '' },
          appends: [{ topic: name, partition, block: builder.finish() }],
        })
      }
    }
    kit.runAll()
    await kit.settle()
    return kit
  }

  /** Stops the job. Throws what stopped it before, unless the test was told already. */
  async close(): Promise<void> {
    const { told } = this
    try {
      await this.stopAll()
    } catch (error) {
      if (!told) throw error
    } finally {
      await this.log.close()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** The version that publishes. */
  private get owner(): KitVersion {
    return this.versions[(this.board?.control.owner ?? 1) - 1]!
  }

  private get job(): string {
    return this.versions[0]!.topology.job
  }

  /** From now on versions are steered; the one there is begins anew. */
  private async beginBoard(): Promise<void> {
    await this.settle()
    await this.stopAll()
    this.board = new VersionBoard()
    await this.register(this.versions[0]!)
    this.runAll()
  }

  private async register({ number }: KitVersion): Promise<void> {
    const board = this.board!
    const { parallelism } = this.world
    const event = { type: 'registered', at: this.clock.now(), version: number, sha256: '', parallelism, fingerprint: '' } as const
    board.control = await decide(this.log, this.job, board.control, event)
  }

  private runAll(): void {
    for (const version of this.versions) void version.run('stopped')
  }

  private async stopAll(): Promise<void> {
    for (const { running } of this.versions) running?.stop.abort()
    await this.ended()
  }

  private async ended(): Promise<void> {
    for (const { running } of this.versions) {
      await Promise.allSettled([running?.done])
      if (running?.failure?.error instanceof Crashed) running.failure = undefined
    }
    this.throwFailure()
  }

  private throwFailure(): void {
    for (const { running } of this.versions) {
      const failure = running?.failure
      if (failure === undefined || failure.error instanceof Crashed) continue
      this.told = true
      throw failure.error
    }
  }

  private checkOpen(): void {
    if (this.completed !== undefined)
      throw new StreamError('JOB_SEALED', { job: this.job }, { fix: 'do it before complete(), or in a replay()' })
  }

  /** All tasks wait, and have seen all there is. */
  private quiet(): boolean {
    const changes = this.log.changes()
    return this.versions.every(({ number, waiting }) => {
      const tasks = this.log.topic(jobTopics(this.job, number).journal)?.partitions
      return waiting.size === tasks && [...waiting.values()].every((seen) => seen === changes)
    })
  }

  private partitionsOf(topic: string): number {
    const info = this.log.topic(topic)
    if (info === undefined) throw new StreamError('TOPIC_UNKNOWN', { topic })
    return info.partitions
  }

  private async records(topic: string): Promise<{ record: LogRecord; partition: number }[]> {
    const all: { record: LogRecord; partition: number }[] = []
    for (let partition = 0; partition < this.partitionsOf(topic); partition++) {
      const { start, end } = this.log.bounds(topic, partition)
      for await (const record of readRecords(this.log, topic, partition, start, end)) all.push({ record, partition })
    }
    return all
  }
}

function checkVersion(job: string, topology: Topology): void {
  if (topology.job !== job) {
    throw new StreamError('JOB_INVALID', { job: topology.job, reason: `it is not a version of ${job}` }, { fix: 'give both the same name' })
  }
}

function decodeOne(codec: TopicDefinition['codec'], bytes: Uint8Array): unknown {
  const padded = Buffer.alloc(bytes.length + 16)
  padded.set(bytes)
  const out: unknown[] = [undefined]
  const bad = codec.decode(
    padded,
    new DataView(padded.buffer, padded.byteOffset, padded.length),
    0,
    Uint32Array.of(bytes.length),
    0,
    0,
    1,
    out,
    0,
  )
  const fault = bad?.get(0)
  if (fault !== undefined) throw new StreamError(fault.code, { path: fault.path, message: fault.message })
  return out[0]
}
