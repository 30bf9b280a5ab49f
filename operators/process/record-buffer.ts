import type { EpochMs, Header, Key } from '../../engine/model/record.ts'
import type { Store, Stores } from '../../engine/ports/state.ts'
import type { Moment } from '../../engine/task/operator.ts'
import { KeyWalk } from '../key-walk.ts'
import { compareValues } from '../value-order.ts'

/** A record that waits for its time, with what `moment` said of it. */
export interface WaitingRecord {
  readonly value: unknown
  readonly rank: number
  readonly appendTime: EpochMs
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly headers: readonly Header[]
}

/**
 * Records that wait for time to pass them, by (event time, key, rank). Owns: the store `<name>.records`.
 * Invariant: the list of a (time, key) is in the order in which it will be delivered.
 */
export class RecordBuffer {
  private readonly store: Store<WaitingRecord[]>
  private readonly walk: KeyWalk

  constructor(stores: Stores, name: string) {
    this.store = stores.store(`${name}.records`)
    this.walk = new KeyWalk(this.store)
  }

  add(moment: Moment, value: unknown): void {
    const { eventTime, rank, appendTime, topic, partition, offset } = moment
    const record: WaitingRecord = { value, rank, appendTime, topic, partition, offset, headers: moment.headers() }
    const entry = this.store.openGroup(eventTime).edit(moment.key!)
    entry.value ??= []
    let at = entry.value.length
    while (at > 0 && compareRecords(entry.value[at - 1]!, record) > 0) at--
    entry.value.splice(at, 0, record)
    this.walk.added(eventTime)
  }

  /** Removes a value that was taken back before its time came; one that was delivered stays so. */
  takeBack({ eventTime, key }: Moment, value: unknown): void {
    const list = this.store.group(eventTime)?.get(key!)
    const found = list?.findIndex((record) => compareValues(record.value, value) === 0) ?? -1
    if (found >= 0) this.keep(eventTime, key!, list!.toSpliced(found, 1))
  }

  /** The earliest time of a record. */
  first(): EpochMs | undefined {
    return this.walk.first()
  }

  /** The next key at time `at`, which is the first. */
  nextKey(at: EpochMs): Key | undefined {
    return this.walk.key(at)
  }

  list(at: EpochMs, key: Key): readonly WaitingRecord[] {
    return this.store.group(at)?.get(key) ?? []
  }

  /** What is left to deliver of a (time, key). */
  keep(at: EpochMs, key: Key, list: WaitingRecord[]): void {
    if (list.length === 0) this.store.group(at)?.remove(key)
    else this.store.openGroup(at).put(key, list)
  }
}

/** Results by time all have one rank, and come from several tasks: their content orders them. Several values of one source record stay as they came. */
function compareRecords(a: WaitingRecord, b: WaitingRecord): number {
  if (a.rank !== b.rank) return a.rank - b.rank
  if (a.offset !== b.offset) return a.offset - b.offset
  return a.offset < 0 ? compareValues(a.value, b.value) : 0
}
