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
  /** Records of the slice that are not processed yet. */
  left: number
  run: DecodedRun
  /** Place in the run; records from `first` on are processed and not yet taken from the buffer. */
  i: number
  first: number
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
    active.push({ feed, left: count, run, i: run.taken, first: run.taken, time: run.times[run.taken]! })
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

/** Processes records of one input up to the other heads' time; the head itself is due whatever the limit says. @returns whether it has no more. */
function drain(active: Active, limit: number, first: boolean): boolean {
  const { feed } = active
  for (;;) {
    feed.process(active.run, active.i++)
    active.left--
    if (active.left === 0 || active.i === active.run.count) {
      feed.buffer.take(active.i - active.first)
      if (active.left === 0) return true
      active.run = feed.buffer.head()!
      active.i = active.first = active.run.taken
    }
    const time = active.run.times[active.i]!
    if (time < limit || (first && time === limit)) continue
    active.time = time
    return false
  }
}
