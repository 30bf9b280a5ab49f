import type { Beside } from '../engine/log/embedded/verify-log.ts'
import { knownEndsIn } from './known-ends.ts'
import { logTraces } from './log-traces.ts'

/** What a data directory shows of its log from beside it. To be read BEFORE the log: whoever works there makes checkpoints of what is in it. FILE_UNREADABLE. */
export async function besideLog(data: string): Promise<Beside> {
  return { traces: await logTraces(data), knownEnds: await knownEndsIn(data) }
}
