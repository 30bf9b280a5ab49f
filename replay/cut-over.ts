import { codeOf, StreamError } from '../engine/errors.ts'
import type { EpochMs } from '../engine/model/record.ts'
import type { Log } from '../engine/ports/log.ts'
import type { Clock, Probe } from '../engine/ports/world.ts'
import { jobTopics, taskName } from '../engine/runtime/plan.ts'
import { atCommonEnd, type ChangedWindows } from './common-end.ts'
import type { CutOver } from './control-event.ts'
import { decide } from './control-log.ts'
import { type ControlState, markOf } from './control-state.ts'
import type { ControlProbePoint } from './probe-points.ts'
import type { VersionBoard } from './version-board.ts'
import { cutTimes, heldFor, unevenTimes, type VersionFacts } from './version-facts.ts'

export interface CutOverWorld {
  readonly log: Log
  readonly clock: Clock
  readonly board: VersionBoard
  readonly probe: Probe
  readonly job: string
  /** Public output topics of both versions. */
  readonly outputs: readonly string[]
}

export interface HoldLimits {
  /** While the owner publishes. */
  readonly holdMs: number
  /** While it does not. */
  readonly recoveryMs: number
}

/** Who asked for it, and why. */
export type Asked = Pick<CutOver, 'by' | 'reason'>

export interface CutOverRequest {
  readonly to: number
  /** How long the owner may stand still at most. */
  readonly holdMs: number
  readonly asked?: Asked
  /** In which words the two versions differ, so that no switch is exact; recorded. */
  readonly seam?: readonly string[]
  readonly changedWindows?: readonly ChangedWindows[]
  /** Also where changed windows have no common end; it is recorded as a seam then. */
  readonly anywhere?: boolean
  /** Aborted, with the reason: it is given up, unless it was decided already. */
  readonly signal?: AbortSignal
}

/**
 * How long a cut-over may hold the owner. Nobody waits for one that publishes nothing, but it has to recover first; one that stopped may run
 * still, for an attempt before this one. Pure.
 */
export function holdLimit({ owner, versions }: ControlState, running: boolean, { holdMs, recoveryMs }: HoldLimits): number {
  const publishes = running && versions.get(owner!)!.health !== 'stopped'
  return publishes ? holdMs : recoveryMs
}

/**
 * Hands the public topics to another version at one recorded point: hold, decide; the new owner aligns by itself.
 * Errors: CUT_OVER_ABORTED; all goes on as before.
 */
export async function cutOver(
  { log, clock, probe, board, job, outputs }: CutOverWorld,
  { to, holdMs, asked = {}, seam = [], changedWindows = [], anywhere = false, signal }: CutOverRequest,
): Promise<CutOver> {
  const from = board.control.owner
  if (from === undefined || from === to || board.control.hold !== undefined)
    throw aborted(job, to, 'it publishes already, or another cut-over is under way')
  const id = `hold-${board.control.events}`
  const askedAt = clock.monotonic()
  board.control = await decide(log, job, board.control, { type: 'holdRequested', at: clock.now(), id, from, to, ...asked })
  point(probe, 'cut-over.hold-requested')
  const giveUp = async (reason: string) => {
    board.control = await decide(log, job, board.control, { type: 'holdAborted', at: clock.now(), id, reason })
    return aborted(job, to, reason)
  }
  const deadline = clock.monotonic() + holdMs
  const bothHeld = async () => {
    const held = await heldByThen(board, clock, { from, to, deadline, signal })
    if (held !== undefined) return held
    throw await giveUp(signal?.aborted ? givenUp(signal) : `not both versions stood still within ${holdMs} ms`)
  }
  let [old, next] = await bothHeld()
  point(probe, 'cut-over.held')
  const uneven = unevenTimes(old)
  if (uneven !== undefined) {
    const level = { watermark: finiteOrNull(uneven.watermark), processing: uneven.processing }
    board.control = await decide(log, job, board.control, { type: 'holdLevelled', at: clock.now(), id, ...level })
    ;[old, next] = await bothHeld()
    if (unevenTimes(old) !== undefined) throw await giveUp('not all tasks of the version that publishes know yet that no more comes')
  }
  const times = cutTimes(old, next)
  const apart = changedWindows.filter((windows) => !atCommonEnd(windows, times)).map(({ what }) => what)
  if (apart.length > 0 && !anywhere) throw await giveUp(`no common end of windows: ${apart.join('; ')}`)
  const seams = [...seam, ...apart]
  const event: CutOver = {
    type: 'cutOver',
    at: clock.now(),
    id,
    from,
    to,
    positions: Object.fromEntries(old.positions),
    watermark: finiteOrNull(times.watermark),
    processing: times.processing,
    ends: endsOf(log, [...outputs, ...outputs.map(jobTopics(job, from).privately)]),
    heldMs: Math.round(clock.monotonic() - askedAt),
    ...(seams.length === 0 ? {} : { seam: seams }),
    ...asked,
  }
  const stand = (version: number, { tasks }: VersionFacts) =>
    tasks.map(({ task, seq, hash }) => ({ producer: taskName(job, version, task), end: { seq, hash } }))
  try {
    board.control = await decide(log, job, board.control, event, [...stand(from, old), ...stand(to, next)])
  } catch (error) {
    // One of them has gone on from where it stood: it was held by another life's word.
    if (codeOf(error) !== 'COMMIT_CONFLICT') throw error
    throw await giveUp('a version did not stand still')
  }
  point(probe, 'cut-over.decided')
  return event
}

/** @param signal see CutOverRequest. */
export function givenUp({ reason }: AbortSignal): string {
  return `it was given up before it was decided${typeof reason === 'string' ? `: ${reason}` : ''}`
}

function point(probe: Probe, name: ControlProbePoint): void {
  probe.at(name)
}

/** Both versions, once they stand still for the hold as it is now. Undefined: not in time, or it was given up. */
async function heldByThen(
  board: VersionBoard,
  clock: Clock,
  {
    from,
    to,
    deadline,
    signal,
  }: { readonly from: number; readonly to: number; readonly deadline: number; readonly signal: AbortSignal | undefined },
) {
  const mark = markOf(board.control.hold!)
  while (!signal?.aborted) {
    const [old, next] = [board.facts(from), board.facts(to)]
    if (old !== undefined && next !== undefined && heldFor(old, mark) && heldFor(next, mark)) return [old, next] as const
    const left = deadline - clock.monotonic()
    if (left <= 0) return undefined
    await board.changedWithin(clock, left, signal)
  }
  return undefined
}

function finiteOrNull(time: EpochMs): EpochMs | null {
  return Number.isFinite(time) ? time : null
}

function endsOf(log: Log, topics: readonly string[]): Record<string, number> {
  const ends: Record<string, number> = {}
  for (const topic of topics) {
    const partitions = log.topic(topic)?.partitions ?? 0
    for (let partition = 0; partition < partitions; partition++) ends[`${topic}/${partition}`] = log.bounds(topic, partition).end
  }
  return ends
}

function aborted(job: string, version: number, reason: string): StreamError {
  return new StreamError('CUT_OVER_ABORTED', { job, version, reason }, { fix: 'look at the lag of the version, and try again' })
}
