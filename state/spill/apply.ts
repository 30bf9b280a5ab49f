import type { Key } from '../../engine/model/record.ts'
import type { LatestRecords } from '../checkpoint/latest-records.ts'
import { type RecordCursor, recordKind } from '../checkpoint/record.ts'
import { seal } from './envelope.ts'
import {
  chunkKeys,
  type GroupDirectory,
  type KeyRun,
  type KeyWord,
  mergedWords,
  noDirectory,
  readDirectory,
  sealChunk,
  wordsOf,
} from './key-runs.ts'
import { type Put, type SpillDatabase, type SpillPosition, sealValue } from './spill-database.ts'
import { copy } from './spill-keys.ts'

/** A batch costs the calling thread 1-2 microseconds an entry. */
const batchPuts = 512
const batchBytes = 1 << 18

/**
 * Writes the records of a published checkpoint into the database, group by group, in small batches. Doing it again changes nothing.
 * @param pause waits for time to go on, after each batch.
 */
export async function applyRecords(
  database: SpillDatabase,
  records: LatestRecords,
  position: SpillPosition,
  pause: () => Promise<unknown>,
): Promise<void> {
  await database.begin(position)
  const batch = new Batch(database, pause)
  let group: GroupChange | undefined
  for (;;) {
    const step = records.advance()
    if (step === 'load') {
      await records.load()
      continue
    }
    const record = step === 'end' ? undefined : records.current
    if (group !== undefined && (record === undefined || !group.has(record))) {
      await group.finish()
      group = undefined
    }
    if (record === undefined) break
    group ??= new GroupChange(database, batch, record.store, record.at, position.number)
    if (record.kind === recordKind.clear) await group.clear()
    else group.take(record)
    await batch.room()
  }
  await batch.flush()
  await database.end(position)
}

/** Puts on their way. */
class Batch {
  private readonly database: SpillDatabase
  private readonly pause: () => Promise<unknown>
  private puts: Put[] = []
  private bytes = 0

  constructor(database: SpillDatabase, pause: () => Promise<unknown>) {
    this.database = database
    this.pause = pause
  }

  /** @param key is copied. */
  put(key: Uint8Array, value: Uint8Array | null): void {
    this.puts.push({ key: copy(key), value })
    this.bytes += key.length + (value?.length ?? 0)
  }

  /** Writes what has come together if it is a batch. */
  async room(): Promise<void> {
    if (this.puts.length >= batchPuts || this.bytes >= batchBytes) await this.flush()
  }

  async flush(): Promise<void> {
    const { puts } = this
    if (puts.length === 0) return
    this.puts = []
    this.bytes = 0
    await this.database.write(puts)
    await this.pause()
  }
}

/** The changes of one group. Its directory goes last: until then, and after a crash, the old one holds and all is done again. */
class GroupChange {
  private readonly database: SpillDatabase
  private readonly batch: Batch
  private readonly store: string
  private readonly at: Key
  private readonly number: number
  private directory: GroupDirectory
  /** The changes are in the directory already: only values are written again. */
  private readonly known: boolean
  private words: KeyWord[] = []
  private chunks = 0
  private keys = 0
  /** Chunks that the new directory does not name. */
  private readonly obsolete: KeyRun[] = []

  constructor(database: SpillDatabase, batch: Batch, store: string, at: Key, number: number) {
    this.database = database
    this.batch = batch
    this.store = store
    this.at = at
    this.number = number
    this.directory = readDirectory(database, store, at) ?? noDirectory
    this.known = this.directory.applied >= number
  }

  has(record: RecordCursor): boolean {
    return record.store === this.store && record.at === this.at
  }

  async clear(): Promise<void> {
    if (this.known) return
    for (const run of this.directory.runs) {
      for (const { key } of wordsOf(this.database, this.store, this.at, run)) {
        this.batch.put(this.database.keys.entry(this.store, this.at, key), null)
        await this.batch.room()
      }
      this.obsolete.push(run)
    }
    this.directory = { ...this.directory, size: 0, runs: [] }
  }

  take(record: RecordCursor): void {
    const key = record.key!
    const live = record.kind !== recordKind.remove
    this.batch.put(this.database.keys.entry(this.store, this.at, key), live ? seal(record.bytes, record.from, record.to) : null)
    if (this.known || record.kind === recordKind.replace) return
    this.add({ key, came: live })
    this.directory = { ...this.directory, size: this.directory.size + (live ? 1 : -1) }
  }

  async finish(): Promise<void> {
    if (this.known) return
    this.endRun()
    await this.mergeRuns()
    const { directory } = this
    const key = this.database.keys.directory(this.store, this.at)
    this.batch.put(key, directory.size === 0 ? null : sealValue({ ...directory, applied: this.number }))
    for (const { run, chunks } of this.obsolete) {
      for (let chunk = 0; chunk < chunks; chunk++) {
        this.batch.put(this.database.keys.chunk(this.store, this.at, run, chunk), null)
        await this.batch.room()
      }
    }
  }

  /** Each run at least twice as long as the next: a key is merged a few times only, and there are few runs. */
  private async mergeRuns(): Promise<void> {
    for (;;) {
      const { runs } = this.directory
      const newer = runs.at(-1)
      const older = runs.at(-2)
      if (newer === undefined || older === undefined || older.keys > 2 * newer.keys) return
      // What is merged is read back, so it has to be there.
      await this.batch.flush()
      this.directory = { ...this.directory, runs: runs.slice(0, -2) }
      const words = (run: KeyRun) => wordsOf(this.database, this.store, this.at, run)
      for (const word of mergedWords(words(older), words(newer), runs.length === 2)) {
        this.add(word)
        await this.batch.room()
      }
      this.endRun()
      this.obsolete.push(older, newer)
    }
  }

  private add(word: KeyWord): void {
    this.words.push(word)
    this.keys++
    if (this.words.length === chunkKeys) this.endChunk()
  }

  private endChunk(): void {
    const { nextRun } = this.directory
    this.batch.put(this.database.keys.chunk(this.store, this.at, nextRun, this.chunks++), sealChunk(this.words))
    this.words = []
  }

  private endRun(): void {
    if (this.words.length > 0) this.endChunk()
    if (this.chunks === 0) return
    const { runs, nextRun } = this.directory
    this.directory = { ...this.directory, nextRun: nextRun + 1, runs: [...runs, { run: nextRun, chunks: this.chunks, keys: this.keys }] }
    this.chunks = 0
    this.keys = 0
  }
}
