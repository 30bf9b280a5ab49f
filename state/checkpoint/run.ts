import { ByteSink } from '../../engine/block/byte-sink.ts'
import { compareKeys, type Key } from '../../engine/model/record.ts'
import type { GroupContents } from '../group-contents.ts'
import { type Advance, RecordCursor, type RecordKind } from './record.ts'

/** As many as are sorted in one go, well below a millisecond. */
const recordsMax = 2048
const bytesMax = 1 << 18

/** Records of a frozen generation in the order they were serialised in, later sorted. */
export class Run {
  readonly values = new ByteSink(1 << 16)
  readonly contents: GroupContents[] = []
  readonly keys: (Key | undefined)[] = []
  readonly kinds = new Uint8Array(recordsMax)
  /** values[ends[i - 1], ends[i]) is the value of record i. */
  readonly ends = new Float64Array(recordsMax)
  /** Indexes of records in canonical order, once sorted. */
  order = new Uint16Array(0)

  get full(): boolean {
    return this.keys.length >= recordsMax || this.values.at >= bytesMax
  }

  /** Its value has been appended to `values`. */
  add(contents: GroupContents, key: Key | undefined, kind: RecordKind): void {
    const i = this.keys.length
    this.contents.push(contents)
    this.keys.push(key)
    this.kinds[i] = kind
    this.ends[i] = this.values.at
  }

  sort(): void {
    const { contents, keys } = this
    this.order = Uint16Array.from(keys.keys())
    this.order.sort((a, b) => compareGroups(contents[a]!, contents[b]!) || compareInGroup(keys[a], keys[b]))
  }
}

export class RunCursor extends RecordCursor {
  private readonly run: Run
  private next = 0

  constructor(run: Run, age: number) {
    super(age)
    this.run = run
    this.bytes = run.values.buf
  }

  override advance(): Advance {
    const { run } = this
    const i = run.order[this.next++]
    if (i === undefined) return 'end'
    const contents = run.contents[i]!
    this.store = contents.store
    this.at = contents.at
    this.key = run.keys[i]
    this.kind = run.kinds[i] as RecordKind
    this.from = i === 0 ? 0 : run.ends[i - 1]!
    this.to = run.ends[i]!
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
