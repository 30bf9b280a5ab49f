import { readRecords } from '../../engine/log/read-records.ts'
import type { LogRecord } from '../../engine/model/record.ts'
import type { LogView } from '../../engine/ports/log.ts'

/** All records of a topic, partition by partition. */
export async function recordsOf(log: LogView, topic: string): Promise<LogRecord[]> {
  const records: LogRecord[] = []
  for (let partition = 0; partition < log.topic(topic)!.partitions; partition++) {
    const { start, end } = log.bounds(topic, partition)
    for await (const record of readRecords(log, topic, partition, start, end)) records.push(record)
  }
  return records
}

/** Keys stay in their partition, so that the order of reading is the order by key. */
export function lastValues(records: readonly LogRecord[]): unknown[] {
  const last = new Map<string, unknown>()
  for (const { key, value } of records) {
    if (value === null) last.delete(String(key))
    else last.set(String(key), parse(value))
  }
  return [...last.values()]
}

export function parse(value: Uint8Array | null): unknown {
  return JSON.parse(Buffer.from(value!).toString())
}

/** Also of bytes that are no JSON; -1 for what is no record of the input. */
export function idOf({ value }: LogRecord): number {
  return Number(/"id":(\d+)/.exec(Buffer.from(value!).toString())?.[1] ?? -1)
}
