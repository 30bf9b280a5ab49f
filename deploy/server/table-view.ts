import { codeOf, StreamError } from '../../engine/errors.ts'
import { readRecords } from '../../engine/log/read-records.ts'
import type { EpochMs, LogRecord, Offset } from '../../engine/model/record.ts'
import type { LogView } from '../../engine/ports/log.ts'
import type { Stretch } from '../../replay/version-record.ts'
import { PageBytes } from '../page-bytes.ts'
import { Turn } from '../turn.ts'

/** To read all of a table that was too large is not worth it sooner. */
const againAfterMs = 60_000

export interface TableRow {
  readonly key: string
  readonly value: Uint8Array
  readonly partition: number
  readonly offset: Offset
}

export interface TablePage {
  readonly rows: readonly TableRow[]
  /** The key to go on behind; undefined: there are no more. */
  readonly next: string | undefined
}

/**
 * Where a partition's records are, oldest first. What is given later begins as what was given before: ends are set, stretches are added.
 */
export type TableSource = (partition: number) => readonly Stretch[]

/**
 * The latest value of each key of a table, kept in memory and brought up to date when it is asked for. One that is too large is given up, and read anew later. A table is a topic, or what one
 * version gave for it.
 * Invariant: `rows` is the fold over all records below `positions`, of one partition in the order of its stretches.
 */
export class TableView {
  private readonly log: LogView
  private readonly topic: string
  private readonly bytesMax: number
  private readonly rows = new Map<string, TableRow>()
  private readonly source: TableSource
  /** By partition and stretch. */
  private readonly positions: Offset[][] = []
  private sorted: string[] | undefined = undefined
  /** Of its rows. */
  bytes = 0
  private refused: { readonly error: unknown; readonly until: EpochMs } | undefined = undefined
  private readonly turn = new Turn()

  /** @param bytesMax of keys and values together. @param source absent: the topic itself. */
  constructor(log: LogView, topic: string, bytesMax: number, source: TableSource = () => [{ topic, from: 0, to: undefined }]) {
    this.log = log
    this.topic = topic
    this.source = source
    this.bytesMax = bytesMax
  }

  /** As of all that was committed before the call. Errors: TOPIC_UNKNOWN, TABLE_TOO_LARGE. */
  async get(key: string): Promise<TableRow | undefined> {
    await this.refresh()
    return this.rows.get(key)
  }

  /** Keys with this beginning, in order, behind `after`: as many as the limit says, or as a page holds. Errors as for `get`. */
  async page(prefix: string, after: string | undefined, limit: number): Promise<TablePage> {
    await this.refresh()
    this.sorted ??= [...this.rows.keys()].sort()
    const rows: TableRow[] = []
    const page = new PageBytes()
    const { sorted } = this
    for (let at = placeOf(sorted, after === undefined || after < prefix ? prefix : after); at < sorted.length; at++) {
      const key = sorted[at]!
      if (!key.startsWith(prefix)) break
      if (key === after) continue
      const row = this.rows.get(key)!
      if (rows.length === limit || !page.take(key.length + row.value.length)) return { rows, next: rows.at(-1)!.key }
      rows.push(row)
    }
    return { rows, next: undefined }
  }

  private refresh(): Promise<void> {
    return this.turn.take(() => this.refreshNow())
  }

  private async refreshNow(): Promise<void> {
    if (this.refused !== undefined && this.log.clock() < this.refused.until) throw this.refused.error
    try {
      await this.takeNews()
    } catch (error) {
      if (codeOf(error) === 'TABLE_TOO_LARGE') this.giveUp(error)
      throw error
    }
  }

  /** Nothing is kept of what nobody can ask for. */
  private giveUp(error: unknown): void {
    this.refused = { error, until: this.log.clock() + againAfterMs }
    this.rows.clear()
    this.positions.length = 0
    this.sorted = undefined
    this.bytes = 0
  }

  private async takeNews(): Promise<void> {
    // All ends at one instant: a record that is seen never comes before one of an earlier stretch that is not.
    for (const { topic, partition, stretch, from, end } of this.news()) {
      for await (const record of readRecords(this.log, topic, partition, from, end)) this.take(record, partition)
      this.positions[partition]![stretch] = end
    }
  }

  /** What came since the last time. */
  private news() {
    const { log, topic, positions } = this
    const info = log.topic(topic)
    if (info === undefined) throw new StreamError('TOPIC_UNKNOWN', { topic })
    return Array.from({ length: info.partitions }, (_, partition) => {
      const taken = (positions[partition] ??= [])
      return this.source(partition).flatMap((one, stretch) => {
        // A version that has not begun has no topics yet.
        if (log.topic(one.topic) === undefined) return []
        const bounds = log.bounds(one.topic, partition)
        const from = Math.max(bounds.start, one.from, taken[stretch] ?? 0)
        const end = Math.min(bounds.end, one.to ?? bounds.end)
        return from < end ? [{ topic: one.topic, partition, stretch, from, end }] : []
      })
    }).flat()
  }

  private take({ key, value, offset }: LogRecord, partition: number): void {
    if (key === null) return
    const name = Buffer.from(key).toString()
    const before = this.rows.get(name)
    if (before !== undefined) this.bytes -= sizeOf(before)
    if (value === null) {
      if (this.rows.delete(name)) this.sorted = undefined
      return
    }
    if (before === undefined) this.sorted = undefined
    const row = { key: name, value, partition, offset }
    this.rows.set(name, row)
    this.bytes += sizeOf(row)
    if (this.bytes > this.bytesMax)
      throw new StreamError('TABLE_TOO_LARGE', { topic: this.topic, keys: this.rows.size, bytesMax: this.bytesMax })
  }
}

function sizeOf({ key, value }: TableRow): number {
  return key.length + value.length + 200
}

/** The first place whose key is not below. */
function placeOf(sorted: readonly string[], key: string): number {
  let from = 0
  let to = sorted.length
  while (from < to) {
    const middle = (from + to) >>> 1
    if (sorted[middle]! < key) from = middle + 1
    else to = middle
  }
  return from
}
