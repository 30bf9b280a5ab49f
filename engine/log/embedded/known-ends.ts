import { StreamError } from '../../errors.ts'
import type { ProducerEnd } from '../../ports/log.ts'

/** How far a producer came at least, as a file beside the log shows that was written after the commit was acknowledged. */
export interface KnownEnd {
  readonly producer: string
  readonly seq: number
  /** The file. */
  readonly shownBy: string
}

/** LOG_CORRUPT for each of them that the log does not reach. @param endOf by name; undefined: the log has no such producer. Pure. */
export function endsNotReached(known: readonly KnownEnd[], endOf: (producer: string) => ProducerEnd | undefined): StreamError[] {
  return known.flatMap(({ producer, seq, shownBy }) => {
    const end = endOf(producer)?.seq ?? 0
    if (seq <= end) return []
    const reason = `it is of slice ${seq} of ${producer}, the log ends at slice ${end}: acknowledged data is gone`
    const fix = 'put back the log files that are missing, or restore the data directory, all of it, from a backup; nothing was removed'
    return [new StreamError('LOG_CORRUPT', { file: shownBy, position: 0, reason }, { fix })]
  })
}
