import { expect } from 'vitest'
import { StreamError } from '../../../engine/errors.ts'
import type { RestorePoint, TaskState } from '../../../engine/ports/state.ts'
import { noMetrics, type Probe, silentLogger } from '../../../engine/ports/world.ts'
import { isManifest } from '../../../state/checkpoint/manifest.ts'
import { MemoryCheckpointStore } from '../../../state/memory-checkpoint-store.ts'
import { MemorySpillStore } from '../../../state/memory-spill-store.ts'
import { openTaskState } from '../../../state/task-state.ts'
import { Random } from '../../support/random.ts'
import { applyToModel, applyToState, type Change, cloneModel, expectEqual, expectEqualValues, type Model, randomChanges } from './model.ts'
import { TickClock } from './tick-clock.ts'
import { nextTurn } from './world.ts'

export interface CrashRunOptions {
  readonly seed: number
  readonly lives: number
  readonly slices: number
  readonly keys: number
  readonly memoryBytesMax: number
  /** What happens between two lives. */
  readonly damage: 'none' | 'newest' | 'all'
  /** State has a spill store, of which a crash may lose this; 'spoil': a value is changed. */
  readonly spillLoses?: 'nothing' | 'tail' | 'hole' | 'spoil'
}

interface JournalSlice {
  readonly hash: string
  readonly changes: readonly Change[]
}

/**
 * A task's life over its state, crash after crash: slices change it, some are acknowledged, checkpoints are cut and published, the process
 * dies at any point; the next life restores, runs the journal again and must find what a plain model holds.
 */
export class CrashRun {
  readonly checkpoints = new MemoryCheckpointStore()
  /** How often what was seen: a run that never gets there proves nothing. */
  readonly seen: Record<string, number> = {}
  private readonly options: CrashRunOptions
  private readonly random: Random
  private readonly journal: JournalSlice[] = []
  private model: Model = new Map()
  private modelAt: Model[] = [new Map()]
  private published = { newest: 0, secondNewest: 0 }
  private readonly spill: MemorySpillStore | null
  private names = 0
  private acknowledged = 0
  private closed = 0
  private readonly usedAfterClose: string[] = []
  private cutAt = 0
  private readonly damagedBefore = new Set<string>()

  constructor(options: CrashRunOptions) {
    this.options = options
    this.random = new Random(options.seed)
    this.spill = options.spillLoses === undefined ? null : new MemorySpillStore()
  }

  async run(): Promise<void> {
    for (let life = 0; life < this.options.lives; life++) await this.live()
  }

  private async live(): Promise<void> {
    const { random } = this
    const state = this.open()
    const point = await this.restore(state)
    this.cutAt = point
    this.acknowledge(state, this.journal.length)
    const slices = 1 + random.int(this.options.slices)
    try {
      for (let i = 0; i < slices; i++) {
        if (state.full) await this.relieve(state)
        this.runSlice(state)
        if (random.chance(0.3) && state.cut(this.pointNow())) {
          this.count('cut')
          this.cutAt = this.journal.length
        }
        if (random.chance(0.6)) {
          this.acknowledge(state, this.acknowledged + random.int(this.journal.length - this.acknowledged + 1))
        }
        const steps = random.int(6)
        for (let step = 0; step < steps; step++) {
          state.step(random.int(4))
          await nextTurn()
        }
        this.notePublished(state)
        if (random.chance(0.3)) expectEqual(state, this.model, this.about('live'))
        if (random.chance(0.05)) expectEqualValues(state, this.model, this.about('live'), this.options.keys)
        this.notePublished(state)
      }
      if (random.chance(0.5)) {
        this.acknowledge(state, this.journal.length)
        await state.settled()
        expect(state.published.newest, this.about('settled')).toBe(Math.max(this.cutAt, this.published.newest))
      }
      expectEqual(state, this.model, this.about('end'))
      this.notePublished(state)
    } finally {
      await state.close()
      this.closed++
    }
    for (let i = 0; i < 3; i++) await nextTurn()
    expect(this.usedAfterClose, this.about('used after close')).toEqual([])
    this.notePublished(state)
    // Commits that were sent may have arrived.
    const survive = this.acknowledged + random.int(this.journal.length - this.acknowledged + 1)
    this.journal.length = survive
    this.modelAt.length = survive + 1
    this.model = cloneModel(this.modelAt[survive]!)
    this.damageFiles()
    this.crashSpill()
  }

  private async restore(state: TaskState): Promise<number> {
    const point = await state.restore(({ seq, hash }) => {
      if (seq > this.journal.length) throw new StreamError('LOG_CORRUPT', { seq, journal: this.journal.length })
      return seq === 0 || this.journal[seq - 1]!.hash === hash
    })
    const seq = point?.seq ?? 0
    const expected =
      this.options.damage === 'none' ? this.published.newest : this.options.damage === 'newest' ? this.published.secondNewest : 0
    expect(seq, this.about('restored slice')).toBeGreaterThanOrEqual(expected)
    if (point !== null) {
      this.count(seq === this.published.newest ? 'restored newest' : 'restored older')
      expect(point.cursor, this.about('cursor')).toEqual({ seq, at: [-0] })
      expect(state.published.newest).toBe(seq)
    } else this.count('from zero')
    this.published = { newest: seq, secondNewest: 0 }
    this.notePublished(state)
    expectEqual(state, this.modelAt[seq]!, this.about('restored'))
    if (this.random.chance(0.5)) expectEqualValues(state, this.modelAt[seq]!, this.about('restored'), this.options.keys)
    for (const { changes } of this.journal.slice(seq)) for (const change of changes) applyToState(state, change)
    expectEqual(state, this.model, this.about('re-run'))
    return seq
  }

  private runSlice(state: TaskState): void {
    const changes = randomChanges(this.random, this.options.keys)
    for (const change of changes) {
      applyToModel(this.model, change)
      applyToState(state, change)
    }
    this.journal.push({ hash: `h${this.names++}`, changes })
    this.modelAt.push(cloneModel(this.model))
  }

  /** As the runtime does: all is acknowledged, a checkpoint is cut, no slice is run before there is room. */
  private async relieve(state: TaskState): Promise<void> {
    this.count('full')
    this.acknowledge(state, this.journal.length)
    while (state.full) {
      if (!state.checkpointing && state.cut(this.pointNow())) this.cutAt = this.journal.length
      state.step(4)
      await nextTurn()
    }
  }

  private acknowledge(state: TaskState, seq: number): void {
    this.acknowledged = seq
    state.acknowledged(seq)
  }

  private pointNow(): RestorePoint {
    const seq = this.journal.length
    return { seq, hash: this.journal[seq - 1]?.hash ?? '', cursor: { seq, at: [-0] } }
  }

  private notePublished(state: TaskState): void {
    const { newest, secondNewest } = state.published
    if (newest !== this.published.newest) this.count('published')
    expect(newest).toBeGreaterThanOrEqual(this.published.newest)
    this.published = { newest, secondNewest }
  }

  private crashSpill(): void {
    const { spillLoses } = this.options
    if (this.spill === null || spillLoses === undefined) return
    const pick = (below: number) => this.random.int(below)
    this.spill.crash(spillLoses === 'spoil' ? 'nothing' : spillLoses, pick)
    if (spillLoses === 'spoil' && this.random.chance(0.5)) this.spill.spoil(pick)
  }

  /** Any file of one checkpoint, or of all, is changed in one byte, cut short or lost. */
  private damageFiles(): void {
    const { damage } = this.options
    if (damage === 'none' || this.random.chance(0.5)) return
    const manifests = [...this.checkpoints.files.keys()]
      .filter((name) => isManifest(name) && !this.damagedBefore.has(name))
      .sort()
      .reverse()
    const victims = damage === 'all' ? manifests : manifests.slice(0, 1)
    for (const manifest of victims) {
      const names = [manifest, ...filesOf(this.checkpoints.files.get(manifest)!)].filter((name) => this.checkpoints.files.has(name))
      this.spoil(names[this.random.int(names.length)]!)
      this.damagedBefore.add(manifest)
      this.count('damaged')
    }
  }

  private spoil(name: string): void {
    const bytes = Buffer.from(this.checkpoints.files.get(name)!)
    const dice = this.random.int(3)
    if (dice === 0) this.checkpoints.files.delete(name)
    else if (dice === 1 || bytes.length === 0)
      this.checkpoints.files.set(name, bytes.length === 0 ? Buffer.alloc(1) : bytes.subarray(0, this.random.int(bytes.length)))
    else {
      bytes[this.random.int(bytes.length)]! ^= 1 << this.random.int(8)
      this.checkpoints.files.set(name, bytes)
    }
  }

  private open(): TaskState {
    const probe: Probe = { at: (point) => this.count(point) }
    return openTaskState({
      task: { job: 'orders', version: 1, task: 0, fingerprint: 'f', semantics: 1 },
      checkpoints: this.ofThisLife(this.checkpoints),
      spill: this.spill === null ? null : this.ofThisLife(this.spill),
      settings: { memoryBytesMax: this.options.memoryBytesMax, mergeBytesMin: 0 },
      clock: new TickClock(),
      logger: silentLogger,
      metrics: noMetrics,
      probe,
    })
  }

  /** The same object, whose writes take a while, and that notes calls after this life was closed. */
  private ofThisLife<T extends object>(store: T): T {
    const life = this.closed
    return new Proxy(store, {
      get: (target, name) => {
        if (this.closed > life) this.usedAfterClose.push(String(name))
        const value: unknown = Reflect.get(target, name)
        if (typeof value !== 'function') return value
        if (name !== 'put' && name !== 'remove') return value.bind(target)
        return async (...given: unknown[]) => {
          await nextTurn()
          await value.apply(target, given)
          await nextTurn()
        }
      },
    })
  }

  private count(what: string): void {
    this.seen[what] = (this.seen[what] ?? 0) + 1
  }

  private about(where: string): string {
    return `seed ${this.options.seed}, slice ${this.journal.length}, ${where}`
  }
}

export function filesOf(manifest: Uint8Array): string[] {
  const json = JSON.parse(Buffer.from(manifest).toString().split('\n')[0]!) as { files: { name: string }[] }
  return json.files.map(({ name }) => name)
}
