import { ByteSink } from '../engine/block/byte-sink.ts'
import { encodeValue } from '../engine/codec/value-codec.ts'
import { StreamError } from '../engine/errors.ts'
import type { ChangeList } from './change-list.ts'
import type { FrozenValues } from './changes.ts'
import { type RecordKind, recordKind } from './checkpoint/record.ts'
import { Run } from './checkpoint/run.ts'
import type { StateEntry } from './entry.ts'
import type { Turn } from './pacer.ts'

/** Values of many runs share a buffer of about this size. */
const valuesBytes = 1 << 22

/**
 * The changes of one generation on their way into a checkpoint: serialised a slice of time at a time, or when they are about to change again,
 * into runs that are then sorted.
 */
export class FrozenGeneration implements FrozenValues {
  readonly number: number
  runs: Run[] = []
  /** Removals that are kept in memory to hide older values below. */
  readonly removed: StateEntry[] = []
  private readonly list: ChangeList
  /** Whether older values may be below, so that removals must stay in memory. */
  private readonly keepsRemoved: () => boolean
  private failure: { error: unknown } | undefined = undefined
  private values = new ByteSink(1 << 16)
  private run = new Run(this.values)
  private chunk = 0
  private next = 0
  private nextBegun = 0
  private nextMade: StateEntry | undefined = undefined
  private nextCleared = 0
  private sorted = 0

  constructor(list: ChangeList, number: number, keepsRemoved: () => boolean) {
    this.list = list
    this.number = number
    this.keepsRemoved = keepsRemoved
  }

  /** Serialises the entry as it is. A value that can't be is not the fault of who touches it now: `work` throws it. */
  save(entry: StateEntry): void {
    entry.generation = -this.number
    const { contents } = entry
    // Its group's clear says it all.
    if (contents.removedIn === this.number) return
    if (entry.live) this.saveLive(entry)
    else this.saveRemoved(entry)
  }

  /** Goes on until the turn is over. @returns whether all is serialised and sorted. Errors: STATE_VALUE_UNSUPPORTED. */
  work(turn: Turn): boolean {
    const done = this.saveEntries(turn) && this.saveBegun(turn) && this.addClears(turn) && this.sortRuns(turn)
    if (this.failure !== undefined) throw this.failure.error
    return done
  }

  /** Its records are in a file. */
  release(): void {
    this.runs = []
    this.list.begun.length = 0
    this.list.cleared.length = 0
  }

  private saveLive(entry: StateEntry): void {
    const { values } = this.run
    const from = values.at
    try {
      encodeEntry(entry, values)
    } catch (error) {
      this.failure ??= { error }
      return
    }
    entry.contents.meter.saw(values.at - from)
    this.add(entry, entry.born === this.number ? recordKind.create : recordKind.replace)
  }

  private saveRemoved(entry: StateEntry): void {
    // What came and went within the generation no checkpoint has; but an older removal of the key may not be applied yet.
    if (entry.born !== this.number) this.add(entry, recordKind.remove)
    if (this.keepsRemoved()) this.removed.push(entry)
    else entry.contents.removed.delete(entry.key)
  }

  private saveEntries(turn: Turn): boolean {
    const { chunks } = this.list
    for (; this.chunk < chunks.length; this.chunk++, this.next = 0) {
      const entries = chunks[this.chunk]!
      while (this.next < entries.length) {
        const entry = entries[this.next++]!
        if (entry.generation === this.number) this.save(entry)
        if (turn.spent()) return false
      }
      // What was saved may be collected.
      chunks[this.chunk] = []
    }
    return true
  }

  private saveBegun(turn: Turn): boolean {
    const { begun } = this.list
    for (;;) {
      while (this.nextMade !== undefined) {
        const entry = this.nextMade
        this.nextMade = entry.madeBefore
        // It may be collected without the others.
        entry.madeBefore = undefined
        if (entry.generation === this.number) this.save(entry)
        if (turn.spent()) return false
      }
      const contents = begun[this.nextBegun++]
      if (contents === undefined) return true
      this.nextMade = contents.lastMade
      contents.lastMade = undefined
    }
  }

  private addClears(turn: Turn): boolean {
    const { cleared } = this.list
    while (this.nextCleared < cleared.length) {
      const contents = cleared[this.nextCleared++]!
      this.run.add(contents, undefined, recordKind.clear)
      this.sealFull()
      if (turn.spent()) return false
    }
    if (this.run.count > 0) this.seal()
    return true
  }

  private sortRuns(turn: Turn): boolean {
    while (this.sorted < this.runs.length) {
      this.runs[this.sorted++]!.sort()
      if (turn.spent(256)) return this.sorted === this.runs.length
    }
    return true
  }

  private add(entry: StateEntry, kind: RecordKind): void {
    this.run.add(entry.contents, entry.key, kind)
    this.sealFull()
  }

  private sealFull(): void {
    if (this.run.full) this.seal()
  }

  private seal(): void {
    this.runs.push(this.run)
    if (this.values.at >= valuesBytes) this.values = new ByteSink(valuesBytes + (valuesBytes >> 2))
    this.run = new Run(this.values)
  }
}

function encodeEntry(entry: StateEntry, out: ByteSink): void {
  try {
    encodeValue(entry.value, out)
  } catch (error) {
    if (!(error instanceof StreamError)) throw error
    const { store, at } = entry.contents
    throw new StreamError(
      error.code,
      { store, at, key: entry.key, ...error.details },
      { cause: error, ...(error.fix === undefined ? {} : { fix: error.fix }) },
    )
  }
}
