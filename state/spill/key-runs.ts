import { ByteSink } from '../../engine/block/byte-sink.ts'
import { decodeValue } from '../../engine/codec/value-codec.ts'
import { StreamError } from '../../engine/errors.ts'
import { compareKeys, type Key } from '../../engine/model/record.ts'
import { KeyReader, writeKeyBytes } from '../key-codec.ts'
import { payloadAt, seal, unseal } from './envelope.ts'
import type { SpillDatabase } from './spill-database.ts'

/**
 * The keys of a group below memory. Only point reads are synchronous there, so the keys lie in chunks found by number: sorted runs of
 * "came" and "went", each from one checkpoint's changes or from merging two runs; the newest word on a key holds.
 */
export interface GroupDirectory {
  /** Live keys. */
  readonly size: number
  /** The last checkpoint whose changes are in it: applying them again changes nothing. */
  readonly applied: number
  /** The next run's number. Never used twice. */
  readonly nextRun: number
  /** Oldest first. */
  readonly runs: readonly KeyRun[]
}

export interface KeyRun {
  readonly run: number
  readonly chunks: number
  readonly keys: number
}

export interface KeyWord {
  readonly key: Key
  readonly came: boolean
}

export const noDirectory: GroupDirectory = { size: 0, applied: 0, nextRun: 1, runs: [] }

/** Keys in a chunk. */
export const chunkKeys = 1024

/** Errors: STATE_CORRUPT. */
export function readDirectory(database: SpillDatabase, store: string, at: Key): GroupDirectory | undefined {
  const sealed = database.store.get(database.keys.directory(store, at))
  if (sealed === undefined) return undefined
  const bytes = unseal(sealed)
  return decodeValue(bytes, payloadAt, bytes.length) as GroupDirectory
}

export function sealChunk(words: readonly KeyWord[]): Uint8Array {
  const out = new ByteSink(words.length * 16 + 16)
  for (const { key, came } of words) {
    out.need(1)
    out.buf[out.at++] = came ? 1 : 0
    writeKeyBytes(key, out)
  }
  return seal(out.buf, 0, out.at)
}

/** The words of one run in order of keys, a chunk at a time. @returns undefined for a chunk that is not there. */
export function readChunk(database: SpillDatabase, store: string, at: Key, run: number, chunk: number): KeyWord[] | undefined {
  const sealed = database.store.get(database.keys.chunk(store, at, run, chunk))
  if (sealed === undefined) return undefined
  const reader = new KeyReader()
  reader.bytes = unseal(sealed)
  reader.at = payloadAt
  const words: KeyWord[] = []
  while (reader.at < reader.bytes.length) {
    const came = reader.bytes[reader.at++] === 1
    words.push({ key: reader.key(), came })
  }
  return words
}

/** All live keys of a group below memory, in no order. Errors: STATE_CORRUPT. */
export function readKeys(database: SpillDatabase, store: string, at: Key): Set<Key> {
  for (let seen: number | undefined; ; ) {
    const directory = readDirectory(database, store, at) ?? noDirectory
    const keys = tryReadKeys(database, store, at, directory)
    if (keys !== undefined) return keys
    // A merge took a run's place between two reads: then the new directory knows. Run numbers only rise.
    if (directory.nextRun === seen) throw chunkMissing(store, at)
    seen = directory.nextRun
  }
}

function tryReadKeys(database: SpillDatabase, store: string, at: Key, { runs }: GroupDirectory): Set<Key> | undefined {
  const keys = new Set<Key>()
  for (const { run, chunks } of runs) {
    for (let chunk = 0; chunk < chunks; chunk++) {
      const words = readChunk(database, store, at, run, chunk)
      if (words === undefined) return undefined
      for (const { key, came } of words) {
        if (came) keys.add(key)
        else keys.delete(key)
      }
    }
  }
  return keys
}

/** Two runs as one, in order. `oldest`: nothing lies below the older one, so "went" is not needed. */
export function* mergedWords(older: Iterable<KeyWord>, newer: Iterable<KeyWord>, oldest: boolean): Iterable<KeyWord> {
  const a = older[Symbol.iterator]()
  const b = newer[Symbol.iterator]()
  let x = a.next()
  let y = b.next()
  while (!x.done || !y.done) {
    const order = x.done ? 1 : y.done ? -1 : compareKeys((x.value as KeyWord).key, (y.value as KeyWord).key)
    const word = (order < 0 ? x.value : y.value) as KeyWord
    if (word.came || !oldest) yield word
    if (order <= 0) x = a.next()
    if (order >= 0) y = b.next()
  }
}

/** Errors: STATE_CORRUPT. */
export function* wordsOf(database: SpillDatabase, store: string, at: Key, { run, chunks }: KeyRun): Iterable<KeyWord> {
  for (let chunk = 0; chunk < chunks; chunk++) {
    const words = readChunk(database, store, at, run, chunk)
    if (words === undefined) throw chunkMissing(store, at)
    yield* words
  }
}

function chunkMissing(store: string, at: Key): StreamError {
  return new StreamError('STATE_CORRUPT', { reason: 'a chunk of keys below memory is missing', store, at })
}
