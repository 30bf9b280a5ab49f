import type { EpochMs } from '../model/record.ts'

/** What job code sees of time and chance: set by the task, read by the clock and the random numbers its bundle is bound to. */
export interface Present {
  time: EpochMs
  /** Random numbers start over for each slice, from (task, seq). */
  seed(task: number, seq: number): void
}

export const noPresent = (): Present => ({ time: 0, seed() {} })
