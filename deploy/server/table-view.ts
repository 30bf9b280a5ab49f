import { StreamError } from '../../engine/errors.ts'
import { readRecords } from '../../engine/log/read-records.ts'
import type { LogRecord, Offset } from '../../engine/model/record.ts'
import type { LogView } from '../../engine/ports/log.ts'

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
 * The latest value of each key of a table topic, kept in memory and brought up to date when it is asked for.
 * Invariant: `rows` is the fold over all records below `positions`.
 */
export class TableView {
  private readonly log: LogView
  private readonly topic: string
  private readonly bytesMax: number
  private readonly rows = new Map<string, TableRow>()
  private readonly positions: Offset[] = []
  private sorted: string[] | undefined = undefined
  private bytes = 0
  private turn: Promise<unknown> = Promise.resolve()

  /** @param bytesMax of keys and values together. */
  constructor(log: LogView, topic: string, bytesMax: number) {
    this.log = log
    this.topic = topic
    this.bytesMax = bytesMax
  }

  /** As of all that was committed before the call. Errors: TOPIC_UNKNOWN, TABLE_TOO_LARGE. */
  async get(key: string): Promise<TableRow | undefined> {
    await this.refresh()
    return this.rows.get(key)
  }

  /** Keys with this beginning, in order, behind `after`. Errors as for `get`. */
  async page(prefix: string, after: string | undefined, limit: number): Promise<TablePage> {
    await this.refresh()
    this.sorted ??= [...this.rows.keys()].sort()
    const rows: TableRow[] = []
    const { sorted } = this
    for (let at = placeOf(sorted, after === undefined || after < prefix ? prefix : after); at < sorted.length; at++) {
      const key = sorted[at]!
      if (!key.startsWith(prefix)) break
      if (key === after) continue
      if (rows.length === limit) return { rows, next: rows.at(-1)!.key }
      rows.push(this.rows.get(key)!)
    }
    return { rows, next: undefined }
  }

  private refresh(): Promise<void> {
    const done = this.turn.catch(() => {}).then(() => this.refreshNow())
    this.turn = done
    return done
  }

  private async refreshNow(): Promise<void> {
    const { log, topic, positions } = this
    const info = log.topic(topic)
    if (info === undefined) throw new StreamError('TOPIC_UNKNOWN', { topic })
    for (let partition = 0; partition < info.partitions; partition++) {
      const { start, end } = log.bounds(topic, partition)
      const from = Math.max(start, positions[partition] ?? 0)
      if (from >= end) continue
      for await (const record of readRecords(log, topic, partition, from, end)) this.take(record, partition)
      positions[partition] = end
    }
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
