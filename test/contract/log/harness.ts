import { test } from 'vitest'
import type { EpochMs } from '../../../engine/model/record.ts'
import type { Log } from '../../../engine/ports/log.ts'

/** One log under test. */
export interface ContractLog {
  readonly log: Log
  /** Closes the log and opens it again on the same storage, as a restarted process would. The former one is not used any more. */
  reopen(): Promise<Log>
  /** Closes what is open and removes the storage. */
  close(): Promise<void>
  /** Absent: the adapter leaves retention and compaction to others (a broker). Acts on the log opened last. */
  readonly maintenance?: Maintenance
}

export interface Maintenance {
  /** Applies retention as if it were `now`; whole blocks that are due are below `start` when it resolves. */
  retain(now: EpochMs): Promise<void>
  /** Removes older values of the compacted topic; done when it resolves. */
  compact(topic: string): Promise<void>
  /** Rewrites all that the adapter would rewrite (join, move) in the background at some time. Absent: it never does. */
  rewrite?(): Promise<void>
}

export type MakeLog = () => Promise<ContractLog>

/** Declares one test of the contract, on a log of its own. */
export type LogTest = (title: string, body: (open: ContractLog) => Promise<void>) => void

export function logTests(make: MakeLog): LogTest {
  return (title, body) =>
    test(title, async () => {
      const open = await make()
      try {
        await body(open)
      } finally {
        await open.close()
      }
    })
}
