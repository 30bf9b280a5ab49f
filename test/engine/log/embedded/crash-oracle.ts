import { BlockView } from '../../../../engine/block/block-view.ts'
import type { Log } from '../../../../engine/ports/log.ts'

/** Where a commit of the workload puts its record, by number: the partitions of `a`, then the one of the compacted table. */
export const places = [
  { topic: 'a', partition: 0 },
  { topic: 'a', partition: 1 },
  { topic: 'a', partition: 2 },
  { topic: 'table', partition: 0 },
] as const
export const tablePlace = 3

export class Violation extends Error {}

/** A record as the workload wrote it: the number of its commit, and what belongs to it. */
interface Seen {
  readonly id: number
  readonly offset: number
  readonly appendTime: number
}

/** What a reader sees of all places. */
export interface View {
  readonly records: readonly (readonly Seen[])[]
  readonly bounds: readonly { start: number; end: number }[]
}

export const bytesOf = (id: number): Buffer => Buffer.from(`${id}:${'x'.repeat((id * 7919) % 1300)}`)
export const keyOf = (id: number): string => `key-${id % 4}`

/** Reads everything. Throws what a read throws. */
export async function lookAt(log: Pick<Log, 'bounds' | 'reader'>): Promise<View> {
  const bounds = places.map(({ topic, partition }) => log.bounds(topic, partition))
  const records = []
  for (const [place, { topic, partition }] of places.entries()) records.push(await readPlace(log, topic, partition, bounds[place]!))
  return { records, bounds }
}

async function readPlace(
  log: Pick<Log, 'reader'>,
  topic: string,
  partition: number,
  { start, end }: { start: number; end: number },
): Promise<Seen[]> {
  const found: Seen[] = []
  const reader = log.reader(topic, partition, start)
  while (reader.position < end) {
    const position = reader.position
    const chunk = await reader.read(3000)
    if (chunk === null) break
    for (const at of chunk.blocks) {
      const block = new BlockView(chunk, at)
      for (let i = 0; i < block.count; i++) {
        const { offset, appendTime, value, key } = block.record(i)
        if (offset < position || offset >= end) continue
        const id = Number.parseInt(Buffer.from(value!).toString(), 10)
        if (!bytesOf(id).equals(value!) || Buffer.from(key!).toString() !== keyOf(id))
          throw new Violation(`record ${topic}/${partition} ${offset} is not what was written`)
        found.push({ id, offset, appendTime })
      }
    }
    chunk.release()
  }
  if (reader.position < end) throw new Violation(`reading ${topic}/${partition} ended at ${reader.position}, not at ${end}`)
  await reader.close()
  return found
}

/** What may and what must be in the log, from what was asked of it and what it answered. Knows nothing of how it works. */
export class CrashOracle {
  /** Commits that were acknowledged or shown: by number, the places they went to. */
  private readonly must = new Map<number, readonly number[]>()
  /** Commits sent, with no answer yet. */
  private readonly maybe = new Map<number, readonly number[]>()
  private readonly refused = new Set<number>()
  /** By place: offset to record, for all that was ever shown. */
  private readonly shown = places.map(() => new Map<number, Seen>())
  private readonly starts = places.map(() => 0)
  lastEpoch = 0
  shownRecords = 0

  sent(id: number, to: readonly number[]): void {
    this.maybe.set(id, to)
  }

  acknowledged(id: number, baseOffsets: readonly number[], appendTime: number): void {
    // Someone may have seen it before the answer came.
    const to = (this.maybe.get(id) ?? this.must.get(id))!
    this.maybe.delete(id)
    this.must.set(id, to)
    for (const [i, place] of to.entries()) this.shown[place]!.set(baseOffsets[i]!, { id, offset: baseOffsets[i]!, appendTime })
  }

  refuse(id: number): void {
    if (this.must.has(id)) throw new Violation(`commit ${id} was shown and then refused`)
    this.maybe.delete(id)
    this.refused.add(id)
  }

  trimmed(place: number, start: number): void {
    this.starts[place] = Math.max(this.starts[place]!, start)
  }

  /** @param end the producer's end. */
  check(view: View, end: { seq: number; hash: string }): void {
    for (const [place, records] of view.records.entries()) this.checkPlace(place, records, view.bounds[place]!)
    const ids = new Set(this.shown.flatMap((records) => [...records.values()].map(({ id }) => id)))
    for (const id of ids) this.checkWhole(id, view)
    for (const id of this.must.keys()) if (!ids.has(id)) throw new Violation(`acknowledged commit ${id} is lost`)
    const last = Math.max(0, ...ids)
    if (end.seq !== last || end.hash !== (last === 0 ? '' : `hash-${last}`))
      throw new Violation(`the producer's end is ${end.seq}, the last commit ${last}`)
    // What was shown must stay; what was not has not taken place.
    for (const [id, to] of this.maybe) if (ids.has(id)) this.must.set(id, to)
    this.maybe.clear()
    this.shownRecords = Math.max(this.shownRecords, ids.size)
  }

  /** What a reader saw while commits were under way: whole commits, which must stay. */
  saw(view: View): void {
    const ids = new Set<number>()
    for (const [place, records] of view.records.entries()) {
      for (const record of records) {
        const before = this.shown[place]!.get(record.offset)
        if (before && before.id !== record.id)
          throw new Violation(`a reader saw record ${record.id} at ${record.offset}, which is ${before.id}`)
        if (this.refused.has(record.id)) throw new Violation(`a reader saw refused commit ${record.id}`)
        this.shown[place]!.set(record.offset, record)
        ids.add(record.id)
      }
    }
    for (const id of ids) {
      this.checkWhole(id, view)
      const to = this.maybe.get(id)
      if (to === undefined) continue
      this.maybe.delete(id)
      this.must.set(id, to)
    }
  }

  private checkPlace(place: number, records: readonly Seen[], { start, end }: { start: number; end: number }): void {
    const name = `${places[place]!.topic}/${places[place]!.partition}`
    if (start < this.starts[place]!) throw new Violation(`${name} begins at ${start}, was trimmed to ${this.starts[place]}`)
    this.starts[place] = start
    const shown = this.shown[place]!
    let lastId = 0
    let lastTime = 0
    for (const { id, offset, appendTime } of records) {
      const before = shown.get(offset)
      if (before && (before.id !== id || before.appendTime !== appendTime))
        throw new Violation(`${name} ${offset} was record ${before.id}, is ${id}`)
      if (id <= lastId) throw new Violation(`order: record ${id} behind ${lastId} in ${name}`)
      if (appendTime < lastTime) throw new Violation(`append time goes back in ${name} at ${offset}`)
      if (this.refused.has(id)) throw new Violation(`refused commit ${id} is visible`)
      if (!this.must.has(id) && !this.maybe.has(id)) throw new Violation(`record of unknown commit ${id}`)
      lastId = id
      lastTime = appendTime
      shown.set(offset, { id, offset, appendTime })
    }
    const offsets = new Set(records.map(({ offset }) => offset))
    for (const [offset, { id }] of shown) {
      if (offset >= end) throw new Violation(`${name} ends at ${end}, record ${id} at ${offset} is lost`)
      if (offset < start || offsets.has(offset)) continue
      const superseded = place === tablePlace && records.some((record) => record.offset > offset && keyOf(record.id) === keyOf(id))
      if (!superseded) throw new Violation(`${name} ${offset} is gone: record ${id}`)
    }
    if (place !== tablePlace && records.length !== end - start)
      throw new Violation(`${name} has ${records.length} records in [${start}, ${end})`)
  }

  /** All of a commit or nothing. */
  private checkWhole(id: number, view: View): void {
    const to = this.must.get(id) ?? this.maybe.get(id)!
    for (const place of to) {
      const known = [...this.shown[place]!.values()].some((one) => one.id === id)
      if (known) continue
      // Compacted away before anyone looked: a later one of its key must be there.
      if (place === tablePlace && view.records[place]!.some((one) => one.id > id && keyOf(one.id) === keyOf(id))) continue
      throw new Violation(`commit ${id} is there in part`)
    }
  }
}
