import { assert } from '../../engine/assert.ts'
import { decodeValue, type MakeDate } from '../../engine/codec/value-codec.ts'
import { codeOf, StreamError } from '../../engine/errors.ts'
import type { Key } from '../../engine/model/record.ts'
import type { CheckpointStore, SpillStore } from '../../engine/ports/checkpoint-store.ts'
import type { Clock, Logger, Probe } from '../../engine/ports/world.ts'
import { FileCursor } from '../checkpoint/file-cursor.ts'
import { LatestRecords } from '../checkpoint/latest-records.ts'
import { forEachRecord } from '../checkpoint/load.ts'
import type { CheckpointFile, Manifest } from '../checkpoint/manifest.ts'
import type { ColdEntries } from '../cold-entries.ts'
import { StateEntry } from '../entry.ts'
import { GroupContents } from '../group-contents.ts'
import type { Pacer } from '../pacer.ts'
import type { StateStore } from '../store.ts'
import { applyRecords } from './apply.ts'
import { payloadAt, unseal } from './envelope.ts'
import { readDirectory, readKeys } from './key-runs.ts'
import { SpillDatabase } from './spill-database.ts'

export interface SpillWorld {
  readonly store: SpillStore
  readonly files: CheckpointStore
  readonly pacer: Pacer
  readonly clock: Clock
  readonly logger: Logger
  readonly probe: Probe
  readonly stores: (name: string) => StateStore<unknown>
  readonly makeDate: MakeDate | undefined
}

/**
 * State below memory. Owns the spill database; talks to the stores, which ask it for what they don't have.
 * Invariants: S1 it only ever receives what published checkpoints hold; S2 an entry leaves memory only when all its changes are applied here
 * (`applied`); S3 a removal stays in memory until it is applied, from the generation on in which the database began to be used.
 */
export class Spill implements ColdEntries {
  private readonly world: SpillWorld
  private readonly database: SpillDatabase
  /** Whether entries may be below. */
  active = false
  /** Being filled, or filled: removals have to be kept from now on. */
  begun = false
  /** The last checkpoint that is wholly in the database. */
  applied = 0
  /** What was read is not what was written: nothing of this life may be trusted. */
  damage: { error: unknown } | undefined = undefined
  /** Entries may leave memory once this checkpoint is applied: older removals were not kept. */
  private usableFrom = 0

  constructor(world: SpillWorld) {
    this.world = world
    this.database = new SpillDatabase(world.store)
  }

  /** Whether entries may leave memory. */
  get usable(): boolean {
    return this.active && this.applied >= this.usableFrom
  }

  warm(contents: GroupContents, key: Key): StateEntry | undefined {
    const { store, at, meter } = contents
    const sealed = this.world.store.get(this.database.keys.entry(store, at, key))
    if (sealed === undefined) return undefined
    const bytes = this.checked(() => unseal(sealed))
    const own = key === 0 ? 0 : key
    const entry = new StateEntry(own, decodeValue(bytes, payloadAt, bytes.length, this.world.makeDate), 0, 0, contents)
    contents.entries.set(own, entry)
    contents.cold--
    meter.inMemory++
    meter.cold--
    return entry
  }

  keys(contents: GroupContents): Key[] {
    const keys = this.checked(() => readKeys(this.database, contents.store, contents.at))
    for (const key of contents.entries.keys()) keys.add(key)
    for (const key of contents.removed.keys()) keys.delete(key)
    return [...keys]
  }

  contents(store: string, at: Key): GroupContents | undefined {
    const directory = this.checked(() => {
      const found = readDirectory(this.database, store, at)
      if (found === undefined) throw new StreamError('STATE_CORRUPT', { reason: 'a group below memory is missing', store, at })
      return found
    })
    const contents = new GroupContents(store, this.world.stores(store).meter, at, 0)
    contents.cold = directory.size
    return contents
  }

  /** At the start, with state too large for memory: brings the database to the checkpoint, or builds it from it. Nothing is loaded. */
  async restore(manifest: Manifest): Promise<void> {
    const { files, clock, logger, probe, stores } = this.world
    const pause = () => clock.yield()
    if (!(await this.caughtUp(manifest, pause))) {
      logger.warn({ checkpoint: manifest.number, database: this.database.applied?.number }, 'spill database is rebuilt from the checkpoint')
      await this.build(manifest, pause)
      probe.at('restore.rebuilt')
    }
    await forEachRecord(files, manifest.files, clock, groupTaker(stores))
    this.applied = manifest.number
    this.begun = true
    this.active = true
  }

  /** State outgrows memory: fills the database from a published checkpoint. @param generation the live one. */
  async begin(manifest: Manifest, generation: number): Promise<void> {
    assert(!this.begun, 'the spill database is begun once')
    this.begun = true
    // The generation before may be frozen, and some of its removals gone already.
    this.usableFrom = generation - 1
    this.world.logger.info({ checkpoint: manifest.number }, 'state outgrows memory: spill database is built')
    await this.build(manifest, () => this.world.pacer.turn())
    this.applied = manifest.number
    this.active = true
  }

  /** Takes a published delta. @param file undefined if nothing changed. */
  async apply(file: CheckpointFile | undefined, number: number): Promise<void> {
    this.world.probe.at('checkpoint.applying')
    if (file !== undefined) {
      await this.applyFile(file, () => this.world.pacer.turn()).catch((error: unknown) => {
        this.noteDamage(error)
        throw error
      })
    }
    this.applied = number
    this.world.probe.at('checkpoint.applied')
  }

  async close(): Promise<void> {
    // The next life builds it anew.
    if (this.damage !== undefined) await this.database.disown()
    await this.world.store.close()
  }

  private checked<T>(read: () => T): T {
    try {
      return read()
    } catch (error) {
      this.noteDamage(error)
      throw error
    }
  }

  private noteDamage(error: unknown): void {
    if (codeOf(error) === 'STATE_CORRUPT') this.damage ??= { error }
  }

  /** Brings what a former life left to the checkpoint. @returns false if it can't be used. */
  private async caughtUp(manifest: Manifest, pause: () => Promise<unknown>): Promise<boolean> {
    const behind = this.database.open() ? filesAfter(this.database, manifest) : undefined
    try {
      for (const file of behind ?? []) await this.applyFile(file, pause)
    } catch (error) {
      if (codeOf(error) !== 'STATE_CORRUPT') throw error
      return false
    }
    return behind !== undefined
  }

  private async build(manifest: Manifest, pause: () => Promise<unknown>): Promise<void> {
    await this.database.clear()
    const last = manifest.files.at(-1)
    if (last === undefined) return
    const cursors = manifest.files.map((file, age) => new FileCursor(this.world.files, file, age))
    await applyRecords(this.database, await LatestRecords.of(cursors, 'drop'), { number: last.upTo, hash: last.hash }, pause)
  }

  private async applyFile(file: CheckpointFile, pause: () => Promise<unknown>): Promise<void> {
    const records = await LatestRecords.of([new FileCursor(this.world.files, file, 0)], 'keep')
    await applyRecords(this.database, records, { number: file.upTo, hash: file.hash }, pause)
  }
}

/** The deltas that a database lacks; undefined if it holds anything else than the checkpoint's own files do. */
function filesAfter({ applied, applying }: SpillDatabase, { files }: Manifest): readonly CheckpointFile[] | undefined {
  if (applied === null) return undefined
  const at = files.findIndex(({ upTo, hash }) => upTo === applied.number && hash === applied.hash)
  if (at === -1) return undefined
  const behind = files.slice(at + 1)
  const next = behind[0]
  if (applying !== null && (next === undefined || next.upTo !== applying.number || next.hash !== applying.hash)) return undefined
  return behind
}

/** Tells stores of the groups there are. */
function groupTaker(stores: (name: string) => StateStore<unknown>): (record: { store: string; at: Key; from: number; to: number }) => void {
  let store: StateStore<unknown> | undefined
  let at: Key | undefined
  return (record) => {
    if (store?.name !== record.store || at !== record.at) {
      store = stores(record.store)
      at = record.at
      store.adoptCold(at)
    }
    store.meter.cold++
    store.meter.saw(record.to - record.from)
  }
}
