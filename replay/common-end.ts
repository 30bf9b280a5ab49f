import type { EpochMs } from '../engine/model/record.ts'
import type { WindowEnds } from '../engine/model/topology.ts'
import type { Clock } from '../engine/ports/world.ts'
import type { VersionBoard } from './version-board.ts'

/** Windows of two versions that end at different times: a switch is exact where the last that ended, ended at the same time in both. */
export interface ChangedWindows {
  /** Which, and how they changed. */
  readonly what: string
  readonly before: WindowEnds
  readonly after: WindowEnds
}

/** How far a version has given all results. */
export interface CutTime {
  readonly watermark: EpochMs
  readonly processing: EpochMs
}

/** Pure. */
export function atCommonEnd({ before, after }: ChangedWindows, at: CutTime): boolean {
  const now = timeOf(before, at)
  return before.everyMs === after.everyMs || lastUpTo(now, before.everyMs) === lastUpTo(now, after.everyMs)
}

/** The common end that follows. Undefined: nothing has come yet, so there is no time to count from. Pure. */
export function nextCommonEnd({ before, after }: ChangedWindows, at: CutTime): EpochMs | undefined {
  const now = timeOf(before, at)
  if (!Number.isFinite(now)) return undefined
  const every = (before.everyMs / greatestDivisor(before.everyMs, after.everyMs)) * after.everyMs
  return lastUpTo(now, every) + every
}

/** Waits until all of them are at a common end in the version that publishes. @returns false: not within `waitMs`, or given up. */
export async function commonEndWithin(
  waitMs: number,
  changed: readonly ChangedWindows[],
  { board, clock, signal }: { board: VersionBoard; clock: Clock; signal: AbortSignal },
): Promise<boolean> {
  const deadline = clock.monotonic() + waitMs
  for (;;) {
    const { owner } = board.control
    const facts = owner === undefined ? undefined : board.facts(owner)
    if (facts !== undefined && changed.every((windows) => atCommonEnd(windows, facts))) return true
    const left = deadline - clock.monotonic()
    if (left <= 0 || signal.aborted) return false
    await board.changedWithin(clock, left, signal)
  }
}

function timeOf({ time }: WindowEnds, { watermark, processing }: CutTime): EpochMs {
  return time === 'event' ? watermark : processing
}

function lastUpTo(now: EpochMs, everyMs: number): EpochMs {
  return Math.floor(now / everyMs) * everyMs
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b)
}
