import type { DecodedRun } from './decoded-run.ts'
import type { InputBuffer } from './input-buffer.ts'

/** One input of a task: what was read ahead of it, and what becomes of its records. */
export interface Feed {
  readonly buffer: InputBuffer
  /** Channels of the watermark that this input moves. */
  readonly channels: readonly number[]
  /** One record, by its position in the run. */
  process(run: DecodedRun, i: number): void
  /** Kept in the task's cursor. */
  save(): unknown
  load(saved: unknown): void
}

interface Active {
  readonly feed: Feed
  left: number
  run: DecodedRun
  i: number
  time: number
}

/**
 * Hands the taken records to their feeds, merged by the event time of the heads (ties: input order), so that the order is a function of the slice.
 * Each partition keeps its own order.
 */
export function mergeRecords(taken: readonly { readonly feed: Feed; readonly count: number }[]): void {
  const active: Active[] = []
  for (const { feed, count } of taken) {
    if (count === 0) continue
    const run = feed.buffer.head()!
    active.push({ feed, left: count, run, i: run.taken, time: run.times[run.taken]! })
  }
  while (active.length > 1) {
    let best = 0
    let second = -1
    for (let a = 1; a < active.length; a++) {
      if (active[a]!.time < active[best]!.time) {
        second = best
        best = a
      } else if (second < 0 || active[a]!.time < active[second]!.time) second = a
    }
    const limit = active[second]!.time
    if (drain(active[best]!, limit, best < second)) active.splice(best, 1)
  }
  if (active.length === 1) drain(active[0]!, Number.POSITIVE_INFINITY, true)
}

/** Processes records of one input up to the other heads' time. @returns whether it has no more. */
function drain(active: Active, limit: number, first: boolean): boolean {
  const { feed } = active
  let begun = true
  for (;;) {
    const { run } = active
    const end = Math.min(run.count, active.i + active.left)
    const start = active.i
    let i = start
    const { times } = run
    // The head itself is due whatever the limit says: it was the lowest.
    while (i < end && (begun || times[i]! < limit || (first && times[i]! === limit))) {
      begun = false
      feed.process(run, i)
      i++
    }
    feed.buffer.take(i - start)
    active.left -= i - start
    active.i = i
    if (active.left === 0) return true
    if (i < run.count) {
      active.time = times[i]!
      return false
    }
    active.run = feed.buffer.head()!
    active.i = active.run.taken
    active.time = active.run.times[active.i]!
  }
}
