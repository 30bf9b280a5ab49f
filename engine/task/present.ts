import type { MakeDate } from '../codec/value-codec.ts'
import type { EpochMs } from '../model/record.ts'

/** What job code sees of time and chance: set by the task, read by the clock, the dates and the random numbers its bundle is bound to. */
export interface Present {
  time: EpochMs
  /** Random numbers start over for each slice, from (task, seq). */
  seed(task: number, seq: number): void
  /** Makes the dates of values that were encoded (in state, in exchanges): of the kind that job code makes itself. Absent: the host's. */
  readonly makeDate?: MakeDate
}

export const noPresent = (): Present => ({ time: 0, seed() {} })
