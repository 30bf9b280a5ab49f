import { StreamError } from '../engine/errors.ts'
import type { Log } from '../engine/ports/log.ts'
import type { Clock, Probe } from '../engine/ports/world.ts'
import type { TaskFacts } from '../engine/runtime/steering.ts'
import type { CutOver } from './control-event.ts'
import { decide } from './control-log.ts'
import type { ControlProbePoint } from './probe-points.ts'
import type { VersionBoard } from './version-board.ts'

export interface CutOverWorld {
  readonly log: Log
  readonly clock: Clock
  readonly board: VersionBoard
  readonly probe: Probe
  readonly job: string
  /** Public output topics of both versions. */
  readonly outputs: readonly string[]
}

/** Who asked for it, and why. */
export type Asked = Pick<CutOver, 'by' | 'reason'>

/**
 * Hands the public topics to version `to` at one recorded point: hold, decide; the new owner aligns by itself.
 * @param holdMs how long the owner may stand still at most.
 * Errors: CUT_OVER_ABORTED; all goes on as before.
 */
export async function cutOver(
  { log, clock, probe, board, job, outputs }: CutOverWorld,
  to: number,
  holdMs: number,
  asked: Asked = {},
): Promise<CutOver> {
  const from = board.control.owner
  if (from === undefined || from === to || board.control.hold !== undefined)
    throw aborted(job, to, 'it publishes already, or another cut-over is under way')
  const id = `hold-${board.control.events}`
  const askedAt = clock.monotonic()
  board.control = await decide(log, job, board.control, { type: 'holdRequested', at: clock.now(), id, from, to, ...asked })
  point(probe, 'cut-over.hold-requested')
  const held = await bothHeld(board, clock, id, from, to, holdMs)
  if (held === undefined) {
    const reason = `not both versions stood still within ${holdMs} ms`
    board.control = await decide(log, job, board.control, { type: 'holdAborted', at: clock.now(), id, reason })
    throw aborted(job, to, reason)
  }
  point(probe, 'cut-over.held')
  const [old, next] = held
  const watermark = Math.max(old.watermark, next.watermark)
  const event: CutOver = {
    type: 'cutOver',
    at: clock.now(),
    id,
    from,
    to,
    positions: Object.fromEntries(old.positions),
    watermark: Number.isFinite(watermark) ? watermark : null,
    processing: Math.max(old.processing, next.processing),
    ends: endsOf(log, outputs),
    heldMs: Math.round(clock.monotonic() - askedAt),
    ...asked,
  }
  const stands = (version: number, { seq, hash }: TaskFacts) => ({ producer: `${job}.v${version}.task-0`, end: { seq, hash } })
  board.control = await decide(log, job, board.control, event, [stands(from, old), stands(to, next)])
  point(probe, 'cut-over.decided')
  return event
}

function point(probe: Probe, name: ControlProbePoint): void {
  probe.at(name)
}

/** Undefined: not in time. */
async function bothHeld(board: VersionBoard, clock: Clock, id: string, from: number, to: number, holdMs: number) {
  const deadline = clock.monotonic() + holdMs
  for (;;) {
    const [old, next] = [board.facts(from), board.facts(to)]
    if (old?.held === id && next?.held === id) return [old, next] as const
    const left = deadline - clock.monotonic()
    if (left <= 0) return undefined
    const done = new AbortController()
    await Promise.race([board.changed(), clock.sleep(left, done.signal)])
    done.abort()
  }
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
