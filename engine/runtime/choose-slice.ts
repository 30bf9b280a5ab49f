import type { EpochMs, Offset } from '../model/record.ts'
import type { Range } from '../model/slice.ts'

/** Decoded records of one input, as far as choosing needs to see them. */
export interface ChoosableBuffer {
  readonly takeable: number
  readonly runs: readonly { readonly times: Float64Array; readonly count: number; readonly taken: number }[]
  readonly position: Offset
  offsetAfter(count: number): Offset
}

export interface ChoosableInput {
  /** Its number in the task. */
  readonly index: number
  readonly buffer: ChoosableBuffer
}

/**
 * Chooses what a slice takes: partitions advance together in event time, so that one fast partition does not fill the windows of all.
 * @param recordsMax over all inputs; each gets an equal share.
 * @param frontier lowest event time other tasks have come to; Infinity when nobody waits.
 * @returns ranges by input, and the event time this task has come to (Infinity: nothing to take). Pure.
 */
export function chooseRanges(
  inputs: readonly ChoosableInput[],
  recordsMax: number,
  maxDriftMs: number,
  frontier: EpochMs,
): { readonly ranges: Range[]; readonly reach: EpochMs } {
  const ready = inputs.filter(({ buffer }) => buffer.takeable > 0)
  if (ready.length === 0) return { ranges: [], reach: Number.POSITIVE_INFINITY }
  const share = Math.max(1, Math.floor(recordsMax / ready.length))
  const highest = ready.map(({ buffer }) => highestTime(buffer, share))
  const reach = Math.min(...highest)
  const limit = Math.min(reach, frontier) + maxDriftMs
  const ranges: Range[] = []
  ready.forEach(({ buffer, index }, r) => {
    const count = highest[r]! <= limit ? Math.min(share, buffer.takeable) : countUpTo(buffer, share, limit)
    if (count > 0) ranges.push({ input: index, from: buffer.position, to: buffer.offsetAfter(count) })
  })
  return { ranges, reach }
}

function highestTime(input: ChoosableBuffer, share: number): EpochMs {
  let highest = Number.NEGATIVE_INFINITY
  let left = share
  for (const { times, count, taken } of input.runs) {
    const end = Math.min(count, taken + left)
    for (let i = taken; i < end; i++) if (times[i]! > highest) highest = times[i]!
    left -= end - taken
    if (left === 0) break
  }
  return highest
}

function countUpTo(input: ChoosableBuffer, share: number, limit: EpochMs): number {
  let total = 0
  for (const { times, count, taken } of input.runs) {
    for (let i = taken; i < count; i++) {
      if (total === share || times[i]! > limit) return total
      total++
    }
  }
  return total
}
