/**
 * Window results by brute force, to check the engine with: straight from lists of records, sharing no code with it. Everything is kept in
 * memory and every window of every record is touched one by one, so that each rule can be read off a single line.
 */

/** A record with the watermark it is judged by: the highest event time before it in its own partition, minus the partition's out-of-orderness. */
export interface Judged<T> {
  readonly value: T
  readonly eventTime: number
  readonly stamp: number
}

export interface WindowResult<A> {
  readonly key: string | number
  readonly start: number
  /** One past the window's last millisecond. */
  readonly end: number
  readonly result: A
}

export interface WindowResults<T, A> {
  /** By start, end, key. */
  readonly windows: readonly WindowResult<A>[]
  /** Records that count in no window. */
  readonly late: readonly T[]
}

/** How the records of one window become its result. */
export interface Fold<T, A> {
  readonly key: (value: T) => string | number
  readonly begin: () => A
  readonly add: (result: A, value: T) => A
}

/** @param partitions the records of each partition in offset order. @returns all of them with their stamps, partition by partition. */
export function judge<T>(partitions: readonly (readonly T[])[], eventTime: (value: T) => number, outOfOrdernessMs: number): Judged<T>[] {
  return partitions.flatMap((records) => {
    let highest = Number.NEGATIVE_INFINITY
    return records.map((value) => {
      const time = eventTime(value)
      const stamp = highest - outOfOrdernessMs
      highest = Math.max(highest, time)
      return { value, eventTime: time, stamp }
    })
  })
}

/** Sliding windows of `sizeMs` that begin at every multiple of `slideMs`; tumbling when both are equal. */
export function slidingWindows<T, A>(
  records: readonly Judged<T>[],
  { sizeMs, slideMs, allowedLatenessMs = 0 }: { sizeMs: number; slideMs: number; allowedLatenessMs?: number },
  fold: Fold<T, A>,
): WindowResults<T, A> {
  const open = new Map<number, Map<string | number, A>>()
  const late: T[] = []
  for (const { value, eventTime, stamp } of records) {
    const key = fold.key(value)
    let counted = false
    for (let start = Math.floor(eventTime / slideMs) * slideMs; start > eventTime - sizeMs; start -= slideMs) {
      if (start + sizeMs + allowedLatenessMs <= stamp) continue
      counted = true
      let keys = open.get(start)
      if (keys === undefined) open.set(start, (keys = new Map()))
      keys.set(key, fold.add(keys.has(key) ? keys.get(key)! : fold.begin(), value))
    }
    if (!counted) late.push(value)
  }
  const windows = [...open].flatMap(([start, keys]) => [...keys].map(([key, result]) => ({ key, start, end: start + sizeMs, result })))
  return { windows: windows.sort(byTimeAndKey), late }
}

/** Sessions: each record claims [event time, event time + gap); claims of a key that overlap are one session. */
export function sessionWindows<T, A>(
  records: readonly Judged<T>[],
  { gapMs, allowedLatenessMs = 0 }: { gapMs: number; allowedLatenessMs?: number },
  fold: Fold<T, A>,
): WindowResults<T, A> {
  const onTime = records.filter(({ eventTime, stamp }) => eventTime + allowedLatenessMs >= stamp)
  const late = records.filter(({ eventTime, stamp }) => eventTime + allowedLatenessMs < stamp).map(({ value }) => value)
  const byKey = new Map<string | number, Judged<T>[]>()
  for (const record of onTime) {
    const key = fold.key(record.value)
    const list = byKey.get(key)
    if (list === undefined) byKey.set(key, [record])
    else list.push(record)
  }
  const windows: WindowResult<A>[] = []
  for (const [key, list] of byKey) {
    list.sort((a, b) => a.eventTime - b.eventTime)
    let first = 0
    for (let i = 1; i <= list.length; i++) {
      const last = list[i - 1]!.eventTime
      if (i < list.length && list[i]!.eventTime < last + gapMs) continue
      const result = list.slice(first, i).reduce((sum, { value }) => fold.add(sum, value), fold.begin())
      windows.push({ key, start: list[first]!.eventTime, end: last + gapMs, result })
      first = i
    }
  }
  return { windows: windows.sort(byTimeAndKey), late }
}

/** Rows as text in one fixed order: two outputs are the same multiset exactly if these lists are equal. */
export function canonical(rows: readonly unknown[]): string[] {
  return rows.map((row) => JSON.stringify(row)).sort()
}

function byTimeAndKey(a: WindowResult<unknown>, b: WindowResult<unknown>): number {
  if (a.start !== b.start) return a.start - b.start
  if (a.end !== b.end) return a.end - b.end
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0
}
