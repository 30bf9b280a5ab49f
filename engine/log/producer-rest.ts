import { codeOf } from '../errors.ts'
import type { Log, Producer, ProducerEnd } from '../ports/log.ts'
import { recordedEnd, recordOfEnd } from './ingest-ends.ts'

// The log keeps producers in memory and in every head. One that writes no more for now is laid to rest: how far it came goes into a record,
// and nothing else is kept of it. It is never forgotten, so what it sends again is known however long it was away.

/**
 * @param producer opened just now, BEFORE its record is looked for: whoever may still add to it is fenced.
 * @returns how far it came, also if it was at rest; the producer stands there now.
 * Errors: LOG_CORRUPT, those of Producer.commit.
 */
export async function takeUp(log: Log, { id, end, commit }: Producer): Promise<ProducerEnd> {
  const recorded = end.seq === 0 ? await recordedEnd(log, id) : undefined
  if (recorded === undefined || recorded.seq === 0) return end
  await commit({ expect: end, next: recorded, appends: [] })
  return recorded
}

/**
 * Records how far a producer came, BEFORE it is forgotten. Nothing if somebody else has taken it up by now, who lays it to rest in turn.
 * @param end where it stands. Errors: LOG_CORRUPT, those of Producer.commit; then it is as it was.
 */
export async function layToRest(log: Log, { id, epoch, commit }: Producer, end: ProducerEnd): Promise<void> {
  try {
    const recorded = await recordedEnd(log, id)
    if (recorded?.seq !== end.seq || recorded.hash !== end.hash)
      await commit({ expect: end, next: end, appends: [await recordOfEnd(log, id, end, log.clock())] })
    await log.forgetProducer(id, epoch)
  } catch (error) {
    if (codeOf(error) !== 'COMMIT_FENCED') throw error
  }
}
