import { assert } from '../engine/assert.ts'
import type { MakeDate } from '../engine/codec/value-codec.ts'
import type { CheckpointStore, SpillStore } from '../engine/ports/checkpoint-store.ts'
import type { RestorePoint, Store, StoreSize, TaskState } from '../engine/ports/state.ts'
import type { Clock, Logger, Metrics, Probe } from '../engine/ports/world.ts'
import { Changes } from './changes.ts'
import { defaultMergeBytesMin } from './checkpoint/chains.ts'
import { CheckpointWriter, type CutPoint } from './checkpoint/checkpoint-writer.ts'
import { findCheckpoints } from './checkpoint/find-checkpoint.ts'
import { loadAll } from './checkpoint/load.ts'
import { type CheckpointFile, encodeCursor, pointOf } from './checkpoint/manifest.ts'
import { noColdEntries } from './cold-entries.ts'
import { Deferred } from './deferred.ts'
import { FrozenGeneration } from './frozen-generation.ts'
import { MemoryUse } from './memory-use.ts'
import { Closed, Pacer, Turn } from './pacer.ts'
import { Eviction } from './spill/eviction.ts'
import { Spill } from './spill/spill.ts'
import { StateMetrics } from './state-metrics.ts'
import { StateStore } from './store.ts'
import type { TaskIdentity } from './task-identity.ts'

export interface TaskStateSettings {
  /** What state may take of this process's memory, by estimate. */
  readonly memoryBytesMax: number
  /** Deltas of a checkpoint are not merged into its base below this size. */
  readonly mergeBytesMin?: number
}

export interface TaskStateOptions {
  readonly task: TaskIdentity
  /** Of this task alone. */
  readonly checkpoints: CheckpointStore
  /** Where state beyond the memory budget goes; null: all state stays in memory. Closed with the state. */
  readonly spill: SpillStore | null
  readonly settings: TaskStateSettings
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
  readonly probe: Probe
  /** Makes the dates of values that come back: the job's own kind. The host's if absent. */
  readonly makeDate?: MakeDate | undefined
}

/** The state of one task, empty until `restore`. */
export function openTaskState(options: TaskStateOptions): TaskState {
  return new KeyedTaskState(options)
}

/** From the cut to the publication. */
interface UnderWay {
  readonly frozen: FrozenGeneration
  readonly point: CutPoint
  readonly serialised: Deferred
  readonly acknowledged: Deferred
  readonly begunAt: number
}

/**
 * Owns the generations: the live one that slices change, the frozen one that becomes a checkpoint. Talks to the stores (which tell what
 * changes), the checkpoint writer, the pacer.
 * Invariants: I1 one generation is frozen at most; I2 a checkpoint of a slice is published only after `acknowledged` of it; I3 what goes wrong in
 * the background is thrown by the next `step`, and nothing is published after it.
 */
class KeyedTaskState implements TaskState {
  private readonly options: TaskStateOptions
  private readonly changes = new Changes(1)
  private readonly stores = new Map<string, StateStore<unknown>>()
  private readonly memory: MemoryUse
  private readonly pacer: Pacer
  private readonly metrics: StateMetrics
  private writer: CheckpointWriter | undefined = undefined
  private underWay: UnderWay | undefined = undefined
  private acknowledgedSeq = 0
  private publishedAt = 0
  private failure: { error: unknown } | undefined = undefined
  private readonly background = new Set<Promise<void>>()
  private relief: Deferred | undefined = undefined
  private readonly spill: Spill | undefined
  private readonly eviction: Eviction
  /** The last of the deltas to be applied, each after the one before; after a failure none is. */
  private applying: Promise<void> = Promise.resolve()
  private closed = false

  constructor(options: TaskStateOptions) {
    this.options = options
    this.metrics = new StateMetrics(options.metrics, options.task)
    this.memory = new MemoryUse(options.settings.memoryBytesMax, options.spill !== null)
    this.pacer = new Pacer(options.clock)
    this.spill = this.makeSpill()
    this.eviction = new Eviction(this.stores)
  }

  store<V>(name: string): Store<V> {
    return this.storeNamed(name) as unknown as StateStore<V>
  }

  async restore(confirmed: (point: { seq: number; hash: string }) => boolean): Promise<RestorePoint | null> {
    const { checkpoints, task, logger, probe, clock, makeDate } = this.options
    assert(this.writer === undefined, 'state is restored once, before anything else')
    this.metrics.begin()
    const found = await findCheckpoints(checkpoints, task, confirmed, logger, () => this.metrics.corrupted('checkpoint'))
    const { newest, nextNumber } = found
    this.changes.generation = nextNumber
    this.writer = this.makeWriter(found)
    if (newest === undefined) return null
    probe.at('restore.verified')
    if (this.spill !== undefined && this.memory.tooLarge(newest.files)) await this.spill.restore(newest)
    else await loadAll(checkpoints, newest.files, clock, (name) => this.storeNamed(name), makeDate)
    this.acknowledgedSeq = newest.seq
    this.publishedAt = newest.cutAt
    probe.at('restore.loaded')
    logger.info({ checkpoint: newest.number, slice: newest.seq, bytes: this.bytesInMemory }, 'checkpoint loaded')
    return pointOf(newest, makeDate)
  }

  cut({ seq, hash, cursor }: RestorePoint): boolean {
    this.throwFailure()
    if (this.underWay !== undefined) return false
    const { probe, clock } = this.options
    this.writer ??= this.makeWriter({ newest: undefined, older: undefined, nextNumber: 1 })
    const point = { seq, hash, cursor: encodeCursor(cursor), cutAt: clock.now() }
    const number = this.changes.generation
    const release = this.memory.freeze()
    let frozen: FrozenGeneration | undefined
    this.changes.freeze((list) => (frozen = new FrozenGeneration(list, number, () => this.spill?.begun ?? false)))
    const underWay: UnderWay = {
      frozen: frozen!,
      point,
      serialised: new Deferred(),
      acknowledged: new Deferred(),
      begunAt: clock.monotonic(),
    }
    this.underWay = underWay
    if (seq <= this.acknowledgedSeq) underWay.acknowledged.resolve()
    probe.at('checkpoint.cut')
    this.inBackground(() => this.metrics.checkpoint(this.publish(underWay, release)))
    return true
  }

  acknowledged(seq: number): void {
    this.acknowledgedSeq = Math.max(this.acknowledgedSeq, seq)
    if (this.underWay !== undefined && this.underWay.point.seq <= this.acknowledgedSeq) this.underWay.acknowledged.resolve()
  }

  step(budgetMs: number): void {
    this.throwFailure()
    const { clock } = this.options
    const from = clock.monotonic()
    const endsAt = from + budgetMs
    for (const store of this.stores.values()) store.sweep()
    this.serialise(new Turn(clock, endsAt))
    this.beginSpill()
    // Half of it at most: what lets more entries go needs its turn too.
    if (this.spill?.usable) this.eviction.work(new Turn(clock, from + budgetMs / 2), this.spill.applied, () => this.memory.over)
    if (clock.monotonic() <= endsAt) this.pacer.give(endsAt)
    if (this.relief !== undefined && !this.full) {
      this.relief.resolve()
      this.relief = undefined
    }
  }

  get checkpointing(): boolean {
    return this.underWay !== undefined
  }

  get full(): boolean {
    return this.memory.full
  }

  get wantsCheckpoint(): boolean {
    return this.memory.wantsCheckpoint
  }

  relieved(): Promise<void> {
    if (!this.full) return Promise.resolve()
    this.relief ??= new Deferred()
    return this.relief.promise
  }

  async settled(): Promise<void> {
    while (this.underWay !== undefined) {
      this.step(8)
      await this.options.clock.yield()
    }
    this.throwFailure()
  }

  get published(): TaskState['published'] {
    return { ...(this.writer?.published ?? { newest: 0, secondNewest: 0, bytes: 0 }), at: this.publishedAt }
  }

  sizes(): StoreSize[] {
    return [...this.stores.values()].map(({ name, meter }) => ({ store: name, keys: meter.keys, bytes: meter.keys * meter.bytesEach }))
  }

  get bytesInMemory(): number {
    return this.memory.bytes
  }

  async close(): Promise<void> {
    if (this.closed) return
    this.closed = true
    this.abandon()
    // What ends may have begun something else.
    while (this.background.size > 0) await Promise.all(this.background)
    await this.spill?.close()
  }

  private serialise(turn: Turn): void {
    const { underWay } = this
    if (underWay === undefined) return
    try {
      if (underWay.frozen.work(turn)) underWay.serialised.resolve()
    } catch (error) {
      this.fail(error)
      throw error
    }
  }

  private storeNamed(name: string): StateStore<unknown> {
    let store = this.stores.get(name)
    if (store === undefined) {
      store = new StateStore<unknown>(name, this.changes, this.spill ?? noColdEntries)
      this.stores.set(name, store)
      this.memory.add(store.meter)
    }
    return store
  }

  private makeWriter(found: ConstructorParameters<typeof CheckpointWriter>[1]): CheckpointWriter {
    const { task, checkpoints: files, logger, probe, settings } = this.options
    const mergeBytesMin = settings.mergeBytesMin ?? defaultMergeBytesMin
    const onDamage = () => this.metrics.corrupted('checkpoint')
    return new CheckpointWriter({ task, files, pacer: this.pacer, logger, probe, mergeBytesMin, onDamage }, found)
  }

  private async publish({ frozen, point, serialised, acknowledged, begunAt }: UnderWay, release: () => void): Promise<void> {
    const { clock, logger } = this.options
    const { delta, unpin } = await this.writer!.publish(frozen, point, serialised.promise, () => this.mayPublish(acknowledged))
    this.underWay = undefined
    this.publishedAt = point.cutAt
    logger.info({ checkpoint: frozen.number, slice: point.seq, ms: Math.round(clock.monotonic() - begunAt) }, 'checkpoint published')
    frozen.release()
    this.inBackground(() => this.apply(frozen, delta, unpin, release))
    this.inBackground(() => this.writer!.mergeDue())
  }

  /** I2, I3. */
  private async mayPublish(acknowledged: Deferred): Promise<void> {
    await acknowledged.promise
    this.throwFailure()
  }

  /** What was published goes below memory, where that is used; only then may its entries leave memory. */
  private async apply(frozen: FrozenGeneration, delta: CheckpointFile | undefined, unpin: () => void, release: () => void): Promise<void> {
    const { spill } = this
    if (spill?.begun) {
      const done = this.applying.then(() => spill.apply(delta, frozen.number))
      this.applying = done
      await done
      await this.forgetRemoved(frozen)
    }
    unpin()
    release()
  }

  /** The removals of an applied generation hide nothing any more. */
  private async forgetRemoved({ removed, number }: FrozenGeneration): Promise<void> {
    let turn = await this.pacer.turn()
    for (const entry of removed) {
      if (!entry.live && entry.generation === -number) entry.contents.removed.delete(entry.key)
      if (turn.spent()) turn = await this.pacer.turn()
    }
  }

  /** Memory runs short: from the newest published checkpoint on, state is kept below too. */
  private beginSpill(): void {
    const { spill, writer } = this
    if (spill === undefined || spill.begun || !this.memory.wantsSpill) return
    const pinned = writer?.pinNewest()
    if (pinned === undefined) return
    this.applying = spill.begin(pinned.manifest, this.changes.generation)
    this.inBackground(async () => {
      await this.applying
      pinned.unpin()
    })
  }

  private makeSpill(): Spill | undefined {
    const { spill: store, checkpoints: files, clock, logger, probe, makeDate } = this.options
    if (store === null) return undefined
    return new Spill({ store, files, pacer: this.pacer, clock, logger, probe, makeDate, stores: (name) => this.storeNamed(name) })
  }

  private inBackground(work: () => Promise<void>): void {
    const done = work().then(
      () => undefined,
      (error: unknown) => {
        if (!(error instanceof Closed)) this.fail(error)
      },
    )
    this.background.add(done)
    void done.then(() => this.background.delete(done))
  }

  /** I3. */
  private fail(error: unknown): void {
    if (this.failure === undefined && this.spill?.damage !== undefined) this.metrics.corrupted('spill')
    this.failure ??= { error }
    this.abandon()
  }

  /** What is under way comes to its end without a result. */
  private abandon(): void {
    this.pacer.close()
    this.underWay?.serialised.reject(new Closed())
    this.underWay?.acknowledged.reject(new Closed())
  }

  private throwFailure(): void {
    // Who read damaged state may not have let the error through.
    if (this.failure === undefined && this.spill?.damage !== undefined) {
      this.fail(this.spill.damage.error)
    }
    if (this.failure !== undefined) throw this.failure.error
  }
}
