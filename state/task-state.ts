import { ByteSink } from '../engine/block/byte-sink.ts'
import { decodeValue, encodeValue, type MakeDate } from '../engine/codec/value-codec.ts'
import type { Key } from '../engine/model/record.ts'
import type { CheckpointStore, SpillStore } from '../engine/ports/checkpoint-store.ts'
import type { RestorePoint, Store, TaskState } from '../engine/ports/state.ts'
import type { Clock, Logger, Metrics, Probe } from '../engine/ports/world.ts'
import { Changes } from './changes.ts'
import { noColdEntries } from './cold-entries.ts'
import { StateStore } from './store.ts'

export interface TaskIdentity {
  readonly job: string
  readonly version: number
  readonly task: number
  /** Of the version's topology. */
  readonly fingerprint: string
  /** The engine's semantics number. */
  readonly semantics: number
}

export interface TaskStateOptions {
  readonly task: TaskIdentity
  /** Of this task alone. */
  readonly checkpoints: CheckpointStore
  /** Where state beyond the memory budget goes; null: all state stays in memory. Closed with the state. */
  readonly spill: SpillStore | null
  readonly settings: { readonly memoryBytesMax: number }
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
  readonly probe: Probe
  /** Makes the dates of values that come back: the job's own kind. The host's if absent. */
  readonly makeDate?: MakeDate
}

type Dump = [name: string, groups: [at: Key, entries: [key: Key, value: unknown][]][]][]

export function openTaskState(options: TaskStateOptions): TaskState {
  return new WholeTaskState(options)
}

class WholeTaskState implements TaskState {
  private readonly options: TaskStateOptions
  private readonly changes = new Changes(1)
  private readonly stores = new Map<string, StateStore<unknown>>()
  private cutNow: { point: RestorePoint; bytes: Buffer } | undefined = undefined
  private acknowledgedSeq = 0
  private writing: Promise<void> | undefined = undefined
  private failure: { error: unknown } | undefined = undefined
  private number = 1
  readonly full = false
  published = { newest: 0, secondNewest: 0, at: 0 }

  constructor(options: TaskStateOptions) {
    this.options = options
  }

  store<V>(name: string): Store<V> {
    let store = this.stores.get(name)
    if (store === undefined) this.stores.set(name, (store = new StateStore<unknown>(name, this.changes, noColdEntries)))
    return store as StateStore<V>
  }

  async restore(confirmed: (point: { seq: number; hash: string }) => boolean): Promise<RestorePoint | null> {
    const { checkpoints } = this.options
    for (const name of [...(await checkpoints.list())].reverse()) {
      const bytes = Buffer.from((await checkpoints.read(name, 0, (await checkpoints.size(name))!))!)
      const [point, dump] = decodeValue(bytes, 0, bytes.length, this.options.makeDate) as [RestorePoint, Dump]
      if (!confirmed(point)) continue
      for (const [store, groups] of dump)
        for (const [at, entries] of groups) for (const [key, value] of entries) this.store(store).openGroup(at).put(key, value)
      this.number = Number(name.split('-')[1]) + 1
      this.published = { newest: point.seq, secondNewest: 0, at: this.options.clock.now() }
      return point
    }
    return null
  }

  cut(point: RestorePoint): boolean {
    if (this.checkpointing) return false
    const dump = [...this.stores].map(([name, store]) => [
      name,
      store.groups().map((at) => [
        at,
        store
          .group(at)!
          .keys()
          .map((key) => [key, store.group(at)!.get(key)]),
      ]),
    ])
    const out = new ByteSink()
    encodeValue([point, dump], out)
    this.cutNow = { point, bytes: out.buf.subarray(0, out.at) }
    this.changes.freeze(() => ({ save: () => undefined }))
    this.publish()
    return true
  }

  acknowledged(seq: number): void {
    this.acknowledgedSeq = Math.max(this.acknowledgedSeq, seq)
    this.publish()
  }

  step(_budgetMs: number): void {
    for (const store of this.stores.values()) store.sweep()
    if (this.failure !== undefined) throw this.failure.error
  }

  get checkpointing(): boolean {
    return this.cutNow !== undefined
  }

  async relieved(): Promise<void> {}

  async settled(): Promise<void> {
    await this.writing
    this.step(0)
  }

  get bytesInMemory(): number {
    let bytes = 0
    for (const { meter } of this.stores.values()) bytes += meter.inMemory * meter.bytesEach
    return bytes
  }

  async close(): Promise<void> {
    await this.writing
    await this.options.spill?.close()
  }

  private publish(): void {
    if (this.cutNow === undefined || this.writing !== undefined || this.cutNow.point.seq > this.acknowledgedSeq) return
    this.writing = this.write(this.cutNow.point, this.cutNow.bytes).then(
      () => {
        this.cutNow = undefined
        this.writing = undefined
      },
      (error: unknown) => {
        this.failure = { error }
      },
    )
  }

  private async write(point: RestorePoint, bytes: Buffer): Promise<void> {
    const { checkpoints, clock } = this.options
    await checkpoints.put(`checkpoint-${String(this.number++).padStart(12, '0')}`, [bytes])
    for (const name of (await checkpoints.list()).slice(0, -2)) await checkpoints.remove(name)
    this.published = { newest: point.seq, secondNewest: this.published.newest, at: clock.now() }
  }
}
