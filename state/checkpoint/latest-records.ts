import { assert } from '../../engine/assert.ts'
import { compareKeys, type Key } from '../../engine/model/record.ts'
import { type Advance, type RecordCursor, recordKind } from './record.ts'
import { compareInGroup } from './run.ts'

/**
 * Merges sorted cursors into what holds in the end: of each key the newest record, nothing of a group from before its clear.
 * `removals: 'keep'` for a delta over something older; 'drop' when there is nothing older: every key is new then.
 */
export class LatestRecords {
  private readonly heap: RecordCursor[] = []
  private readonly removals: 'keep' | 'drop'
  /** The cursor that waits to be loaded. */
  private stopped: RecordCursor | undefined = undefined
  private begun = false
  private store: string | undefined = undefined
  private at: Key = 0
  private key: Key | undefined = undefined
  /** Records of the group that are older than this are void. */
  private clearedAge = Number.NEGATIVE_INFINITY

  /** Reads the first of each. */
  static async of(cursors: readonly RecordCursor[], removals: 'keep' | 'drop'): Promise<LatestRecords> {
    const records = new LatestRecords(removals)
    for (const cursor of cursors) {
      let step = cursor.advance()
      while (step === 'load') {
        await cursor.load()
        step = cursor.advance()
      }
      if (step === 'record') records.push(cursor)
    }
    return records
  }

  private constructor(removals: 'keep' | 'drop') {
    this.removals = removals
  }

  /** The record, until the next call of `advance`. */
  get current(): RecordCursor {
    return this.heap[0]!
  }

  advance(): Advance {
    assert(this.stopped === undefined, 'advance before load')
    for (;;) {
      if (this.begun && !this.moveTop()) return 'load'
      this.begun = true
      if (this.heap.length === 0) return 'end'
      if (this.holds(this.heap[0]!)) return 'record'
    }
  }

  async load(): Promise<void> {
    await this.stopped!.load()
    this.stopped = undefined
  }

  private holds(record: RecordCursor): boolean {
    if (record.store !== this.store || record.at !== this.at) {
      this.store = record.store
      this.at = record.at
      this.clearedAge = Number.NEGATIVE_INFINITY
    } else if (record.key === this.key) {
      return false
    }
    this.key = record.key
    if (record.age < this.clearedAge) return false
    if (record.kind === recordKind.clear) this.clearedAge = record.age
    if (this.removals === 'keep') return true
    if (record.kind !== recordKind.create && record.kind !== recordKind.replace) return false
    record.kind = recordKind.create
    return true
  }

  /** @returns false if the top has to be loaded first. */
  private moveTop(): boolean {
    const top = this.heap[0]!
    const step = top.advance()
    if (step === 'load') {
      this.stopped = top
      return false
    }
    if (step === 'end') {
      const last = this.heap.pop()!
      if (this.heap.length === 0) return true
      if (last !== top) this.heap[0] = last
    }
    this.sinkTop()
    return true
  }

  private push(cursor: RecordCursor): void {
    const { heap } = this
    let i = heap.push(cursor) - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!before(cursor, heap[parent]!)) break
      heap[i] = heap[parent]!
      i = parent
    }
    heap[i] = cursor
  }

  private sinkTop(): void {
    const { heap } = this
    const { length } = heap
    const top = heap[0]!
    let i = 0
    for (let child = 1; child < length; child = 2 * i + 1) {
      if (child + 1 < length && before(heap[child + 1]!, heap[child]!)) child++
      if (!before(heap[child]!, top)) break
      heap[i] = heap[child]!
      i = child
    }
    heap[i] = top
  }
}

/** Canonical order; of one key the newest first. */
function before(a: RecordCursor, b: RecordCursor): boolean {
  if (a.store !== b.store) return a.store < b.store
  if (a.at !== b.at) return compareKeys(a.at, b.at) < 0
  if (a.key !== b.key) return compareInGroup(a.key, b.key) < 0
  return a.age > b.age
}
