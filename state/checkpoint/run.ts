import type { ByteSink } from '../../engine/block/byte-sink.ts'
import { compareKeys, type Key } from '../../engine/model/record.ts'
import type { GroupContents } from '../group-contents.ts'
import { type Advance, RecordCursor, type RecordKind } from './record.ts'

/** As many as are sorted in one go, well below a millisecond. */
const recordsMax = 2048
const bytesMax = 1 << 18

/** Records of a frozen generation in the order they were serialised in, later sorted. */
export class Run {
  /** Shared with other runs: many small buffers would have the collector look at all memory again and again. */
  readonly values: ByteSink
  private readonly from: number
  private readonly contents: GroupContents[] = new Array<GroupContents>(recordsMax)
  private readonly keys: (Key | undefined)[] = new Array<Key | undefined>(recordsMax)
  private readonly kinds = new Uint8Array(recordsMax)
  /** values[ends[i - 1], ends[i]) is the value of record i. */
  private readonly ends = new Float64Array(recordsMax)
  /** Indexes of records in canonical order, once sorted. */
  private order = new Uint16Array(0)
  count = 0

  constructor(values: ByteSink) {
    this.values = values
    this.from = values.at
  }

  get full(): boolean {
    return this.count === recordsMax || this.values.at - this.from >= bytesMax
  }

  /** Its value has been appended to `values`. */
  add(contents: GroupContents, key: Key | undefined, kind: RecordKind): void {
    const i = this.count++
    this.contents[i] = contents
    this.keys[i] = key
    this.kinds[i] = kind
    this.ends[i] = this.values.at
  }

  sort(): void {
    const { contents, keys, count } = this
    const order = new Uint16Array(count)
    for (let i = 0; i < count; i++) order[i] = i
    this.order = order.sort((a, b) => compareGroups(contents[a]!, contents[b]!) || compareInGroup(keys[a], keys[b]))
  }

  /** Puts the record at this place of the order into the cursor. */
  read(place: number, into: RunCursor): void {
    const i = this.order[place]!
    const contents = this.contents[i]!
    into.store = contents.store
    into.at = contents.at
    into.key = this.keys[i]
    into.kind = this.kinds[i] as RecordKind
    into.from = i === 0 ? this.from : this.ends[i - 1]!
    into.to = this.ends[i]!
  }
}

export class RunCursor extends RecordCursor {
  private readonly run: Run
  private next = 0

  /** @param run sorted, and no value is appended to its bytes any more. */
  constructor(run: Run, age: number) {
    super(age)
    this.run = run
    this.bytes = run.values.buf
  }

  override advance(): Advance {
    if (this.next === this.run.count) return 'end'
    this.run.read(this.next++, this)
    return 'record'
  }
}

function compareGroups(a: GroupContents, b: GroupContents): number {
  if (a === b) return 0
  if (a.store !== b.store) return a.store < b.store ? -1 : 1
  return compareKeys(a.at, b.at)
}

/** undefined (a clear) comes first. */
export function compareInGroup(a: Key | undefined, b: Key | undefined): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1
  return compareKeys(a, b)
}
