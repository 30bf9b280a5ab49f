import { compareKeys, type Key } from '../../engine/model/record.ts'

/**
 * What the process of `process.property.test.ts` must emit, key by key, from its records alone: one list of records sorted once, one list of timers
 * searched for each step, no watermarks, no stores, no waiting. Shares no code with the operator.
 */
export interface OracleRecord {
  readonly id: number
  readonly key: Key
  readonly time: number
  readonly partition: number
  readonly offset: number
}

export interface Expected {
  readonly key: Key
  readonly at: number
  readonly what: string
}

interface OracleTimer {
  readonly at: number
  readonly name: string
  readonly depth: number
}

/** Rules of the example: what a record and a timer do. Both sides of the test follow them. */
export const rules = {
  ttl: 7,
  /** Timers a record sets, some in the past. */
  timersOf: (id: number, time: number): { at: number; name: string }[] =>
    id % 4 === 3 ? [] : [{ at: time + (id % 5) * 3 - 3, name: `n${id % 3}` }, ...(id % 2 === 0 ? [{ at: time + 4, name: 'same' }] : [])],
  /** A timer that a record takes away. */
  deletedBy: (id: number, time: number): { at: number; name: string } | undefined =>
    id % 6 === 5 ? { at: time + 2, name: 'same' } : undefined,
  /** What a timer sets. */
  next: (at: number, depth: number): number | undefined => (at % 3 === 0 ? at + 1 + depth : undefined),
}

/** @param chainsEnd timers set by timers don't fire beyond it: the last watermark less the allowed lateness. */
export function expectProcess(records: readonly OracleRecord[], chainsEnd: number): Expected[] {
  const keys = [...new Set(records.map(({ key }) => key))].sort(compareKeys)
  return keys.flatMap((key) =>
    expectKey(
      key,
      records.filter((record) => record.key === key),
      chainsEnd,
    ),
  )
}

function expectKey(key: Key, unsorted: readonly OracleRecord[], chainsEnd: number): Expected[] {
  const records = [...unsorted].sort((a, b) => a.time - b.time || a.partition - b.partition || a.offset - b.offset)
  const expected: Expected[] = []
  let timers: OracleTimer[] = []
  let count = 0
  const seen = new Map<number, number>()
  const seenAt = (time: number) =>
    [...seen]
      .filter(([, until]) => until > time)
      .map(([id]) => id)
      .sort((a, b) => a - b)
  const set = (timer: OracleTimer) => {
    timers = [...timers.filter(({ at, name }) => at !== timer.at || name !== timer.name), timer]
  }
  while (records.length > 0 || timers.length > 0) {
    const timer = timers.reduce<OracleTimer | undefined>(
      (first, one) => (first === undefined || one.at < first.at || (one.at === first.at && one.name < first.name) ? one : first),
      undefined,
    )
    const record = records[0]
    if (timer !== undefined && (record === undefined || timer.at <= record.time)) {
      timers = timers.filter((other) => other !== timer)
      if (timer.depth > 0 && timer.at > chainsEnd) continue
      expected.push({ key, at: timer.at, what: `timer ${timer.name} ${timer.depth}: ${count} of ${seenAt(timer.at)}` })
      const next = rules.next(timer.at, timer.depth)
      if (next !== undefined) set({ at: next, name: 'chain', depth: timer.depth + 1 })
      continue
    }
    records.shift()
    const { id, time } = record!
    count++
    expected.push({ key, at: time, what: `record ${id}: ${count} of ${seenAt(time)}` })
    seen.set(id % 5, time + rules.ttl)
    for (const { at, name } of rules.timersOf(id, time)) set({ at: Math.max(at, time), name, depth: 0 })
    const deleted = rules.deletedBy(id, time)
    if (deleted !== undefined) timers = timers.filter(({ at, name }) => at !== deleted.at || name !== deleted.name)
  }
  return expected
}
