import { StreamError } from '../engine/errors.ts'

/** Milliseconds, or a whole or decimal number with its unit: `'500ms'`, `'10s'`, `'5m'`, `'2h'`, `'1d'`. */
export type Duration = number | string

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/**
 * A duration as whole milliseconds.
 * @param what names the setting in errors: `size of a tumbling window`.
 * @param lowest the least that makes sense: 1 for sizes, 0 for waits.
 * Errors: JOB_INVALID when it is not a duration, not whole milliseconds or below `lowest`.
 */
export function durationMs(duration: Duration, what: string, lowest = 1): number {
  const ms = typeof duration === 'number' ? duration : textMs(duration)
  if (!Number.isSafeInteger(ms)) throw invalid(duration, what, 'is not a duration of whole milliseconds')
  if (ms < lowest) throw invalid(duration, what, `must be at least ${lowest} ms`)
  return ms
}

/** The shortest text that `durationMs` reads back: 5400000 is `90m`. */
export function durationText(ms: number): string {
  if (ms === 0) return '0ms'
  const unit = ['d', 'h', 'm', 's'].find((name) => ms % unitMs[name]! === 0) ?? 'ms'
  return `${ms / unitMs[unit]!}${unit}`
}

function textMs(text: unknown): number {
  const match = typeof text === 'string' ? /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) : null
  if (match === null) return Number.NaN
  const ms = Number(match[1]) * unitMs[match[2]!]!
  // '0.1s' and the like: what the product misses by is far below a millisecond.
  return Math.abs(ms - Math.round(ms)) < 1e-6 ? Math.round(ms) : ms
}

function invalid(duration: unknown, what: string, problem: string): StreamError {
  return new StreamError(
    'JOB_INVALID',
    { setting: what, value: String(duration), reason: `the ${what} ${problem}` },
    { fix: `write a number with its unit, like '500ms', '10s', '5m', '2h' or '1d', or a number of milliseconds` },
  )
}
