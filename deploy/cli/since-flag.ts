import { StreamError } from '../../engine/errors.ts'
import type { EpochMs } from '../../engine/model/record.ts'
import { durationMs } from '../../operators/duration.ts'

export const sinceHelp = 'only what happened since then: a time (2026-11-01T00:00:00Z), or so long ago (2h)'

/** USAGE. @param now the moment it is said at. */
export function sinceOf(text: string, now: EpochMs): EpochMs {
  if (/^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(Date.parse(text))) return Date.parse(text)
  try {
    return now - durationMs(text, '--since', 0)
  } catch (cause) {
    throw new StreamError(
      'USAGE',
      { reason: `--since ${text}: neither a time nor a duration` },
      { cause, fix: 'for example --since 2h, or --since 2026-11-01T00:00:00Z' },
    )
  }
}
