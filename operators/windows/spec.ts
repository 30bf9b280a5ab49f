import { StreamError } from '../../engine/errors.ts'
import type { EpochMs, Key } from '../../engine/model/record.ts'
import type { WindowEnds } from '../../engine/model/topology.ts'
import { type Duration, durationMs, durationText } from '../duration.ts'

/**
 * What a window operator emits is a `WindowOutput`: the row and its window. The builder's `.map((row, window) => ...)` reads both fields and calls
 * the job's function; every other reader of a window passes on `row`. The WindowOutput itself is ONE object an operator, changed for each
 * result and valid during the call only; `row` and `window` are made anew for each result and may be kept.
 * Result: eventTime and stamp are end - 1, key is the group's key. With allowed lateness a fired window is updated: the old row comes with
 * `moment.retract` set, then the new one without (stamp: that of the record that caused it). Early results are replaced in the same way, see
 * early-windows.ts.
 */
export interface WindowOutput<Row, K extends Key = Key> {
  row: Row
  window: WindowInfo<K>
}

/** The window of a result: [start, end), half-open, in epoch ms. */
export interface WindowInfo<K extends Key = Key> {
  readonly key: K
  readonly start: EpochMs
  readonly end: EpochMs
  /** Set in early results: the window is still open. Not there in final ones. */
  readonly early?: true
}

export interface WindowOptions<LateTopic = unknown> {
  /** How long after its end a window still takes late records and gives updated results. Default 0. */
  readonly allowedLateness?: Duration
  /**
   * Early results: whenever the window's own time has passed a multiple of this, windows that are still open and whose value has changed give it as it
   * is then, with `early` set in their WindowInfo. The next result of the window takes it back and replaces it; readers of a public topic see the
   * new value. The final result always comes, also when it equals the last early one, and is what it would be without. Default: none.
   */
  readonly early?: Duration
  /** Where records that come too late for every window go; without it: the job's late topic. */
  readonly late?: LateTopic
  /** `event`: by event time and watermark (default). `processing`: by append time and its clock; takes no `allowedLateness`. */
  readonly time?: 'event' | 'processing'
}

interface SpecBase<LateTopic> {
  readonly allowedLatenessMs: number
  /** Time between early results; 0: none. */
  readonly earlyMs: number
  readonly late: LateTopic | undefined
  readonly time: 'event' | 'processing'
}
/** Windows [k * slide, k * slide + size) from epoch 0 UTC; tumbling: slide = size. */
export interface SlidingSpec<LateTopic = unknown> extends SpecBase<LateTopic> {
  readonly kind: 'tumbling' | 'sliding'
  readonly sizeMs: number
  readonly slideMs: number
}
/** Each record claims [time, time + gap); claims of one key that overlap are one window. */
export interface SessionSpec<LateTopic = unknown> extends SpecBase<LateTopic> {
  readonly kind: 'session'
  readonly gapMs: number
}
export type WindowSpec<LateTopic = unknown> = SlidingSpec<LateTopic> | SessionSpec<LateTopic>

/** Windows of one size, side by side: `tumbling('1d')` is the days, in UTC. Errors: JOB_INVALID. */
export function tumbling<LateTopic = never>(size: Duration, options: WindowOptions<LateTopic> = {}): SlidingSpec<LateTopic> {
  const sizeMs = durationMs(size, 'size of a tumbling window')
  return { kind: 'tumbling', sizeMs, slideMs: sizeMs, ...base(options, sizeMs) }
}

/** Windows of one size that begin at every multiple of `slide`, which is at most `size`. Errors: JOB_INVALID. */
export function sliding<LateTopic = never>(
  size: Duration,
  slide: Duration,
  options: WindowOptions<LateTopic> = {},
): SlidingSpec<LateTopic> {
  const sizeMs = durationMs(size, 'size of a sliding window')
  const slideMs = durationMs(slide, 'slide of a sliding window')
  if (slideMs > sizeMs) {
    throw new StreamError(
      'JOB_INVALID',
      { size: durationText(sizeMs), slide: durationText(slideMs), reason: 'records between two windows would count in none' },
      { fix: 'make the slide at most the size; for one window in a while, filter the records first' },
    )
  }
  return { kind: 'sliding', sizeMs, slideMs, ...base(options, sizeMs) }
}

/** Windows that end when a key had no record for `gap`. Errors: JOB_INVALID. */
export function session<LateTopic = never>(gap: Duration, options: WindowOptions<LateTopic> = {}): SessionSpec<LateTopic> {
  return { kind: 'session', gapMs: durationMs(gap, 'gap of a session window'), ...base(options) }
}

/** `sliding 10s every 2s, allowed lateness 1h, early every 1s`: for descriptions of the job and its fingerprint. */
export function describeWindow(spec: WindowSpec): string {
  const what =
    spec.kind === 'session'
      ? `session gap ${durationText(spec.gapMs)}`
      : spec.kind === 'tumbling'
        ? `tumbling ${durationText(spec.sizeMs)}`
        : `sliding ${durationText(spec.sizeMs)} every ${durationText(spec.slideMs)}`
  const lateness = spec.allowedLatenessMs > 0 ? `, allowed lateness ${durationText(spec.allowedLatenessMs)}` : ''
  const early = spec.earlyMs > 0 ? `, early every ${durationText(spec.earlyMs)}` : ''
  return `${what}${lateness}${early}${spec.time === 'processing' ? ', processing time' : ''}`
}

/** Undefined: its windows don't all end at the same times, or may give more than one result. */
export function windowEnds(spec: WindowSpec): WindowEnds | undefined {
  return spec.kind === 'session' || updates(spec) ? undefined : { everyMs: spec.slideMs, time: spec.time }
}

/** Whether the window's results may be taken back and replaced (`moment.retract`). */
export function updates(spec: WindowSpec): boolean {
  return spec.allowedLatenessMs > 0 || spec.earlyMs > 0
}

function base<LateTopic>(
  { allowedLateness = 0, early, late, time = 'event' }: WindowOptions<LateTopic>,
  sizeMs = Number.POSITIVE_INFINITY,
): SpecBase<LateTopic> {
  const earlyMs = early === undefined ? 0 : durationMs(early, 'time between early results of a window')
  if (earlyMs >= sizeMs) {
    throw new StreamError(
      'JOB_INVALID',
      { early: durationText(earlyMs), size: durationText(sizeMs), reason: 'the window would be over before it gave an early result' },
      { fix: 'make early shorter than the window, or leave it out' },
    )
  }
  const allowedLatenessMs = durationMs(allowedLateness, 'allowed lateness of a window', 0)
  if (time !== 'event' && time !== 'processing') {
    throw new StreamError(
      'JOB_INVALID',
      { time: String(time), reason: 'there is no such time' },
      { fix: "write time: 'event' or time: 'processing'" },
    )
  }
  if (time === 'processing' && allowedLatenessMs > 0) {
    throw new StreamError(
      'JOB_INVALID',
      { allowedLateness: durationText(allowedLatenessMs), time, reason: 'nothing is late by processing time' },
      { fix: "leave out allowedLateness, or use time: 'event'" },
    )
  }
  return { allowedLatenessMs, earlyMs, late, time }
}
