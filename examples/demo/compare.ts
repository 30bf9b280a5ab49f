import { canonical } from '../reference.ts'
import type { TopicRecord } from './reprise.ts'

/** What readers of a stream have: each record. As sorted text. */
export function streamContent(records: readonly TopicRecord[]): string[] {
  return canonical(records.map(({ key, value }) => ({ key, value })))
}

/** What readers of a table have: the last value of each key. As sorted text. */
export function tableContent(records: readonly TopicRecord[]): string[] {
  const last = new Map<string | null, unknown>()
  for (const { key, value } of records) {
    if (value === null) last.delete(key)
    else last.set(key, value)
  }
  return canonical([...last].map(([key, value]) => ({ key, value })))
}

/** @returns undefined when equal, else the first line that one list has and the other has not. Both are sorted. */
export function firstDifference(a: readonly string[], b: readonly string[]): string | undefined {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    if (a[i] !== b[i]) return `line ${i}: ${a[i] ?? 'nothing'} | ${b[i] ?? 'nothing'}`
  }
  return undefined
}

/** The records of each partition as the values of a topic, in offset order: what the oracles take. */
export function byPartition<T>(records: readonly TopicRecord[]): T[][] {
  const partitions: T[][] = []
  for (const { partition, value } of records) (partitions[partition] ??= []).push(value as T)
  return partitions
}
