import { StreamError } from '../../engine/errors.ts'
import { ingestEnd } from '../../engine/log/ingest-ends.ts'
import type { LogView } from '../../engine/ports/log.ts'
import type { Writer } from '../output-owner.ts'
import { sourceIdOf } from './take-in.ts'

/** JOB_SEALED, not thrown: why nothing may be added to a topic. Undefined: no job that reads it was told that no more comes. */
export function refusalOf(topic: string, writers: Iterable<Writer>): StreamError | undefined {
  for (const writer of writers) {
    if (!writer.seals(topic)) continue
    return new StreamError(
      'JOB_SEALED',
      { job: writer.job, topic, reason: 'its input was declared complete with --complete' },
      { fix: 'take it into another data directory' },
    )
  }
  return undefined
}

/** JOB_SEALED for a source that nothing was ever taken in of, to a topic that takes nothing new. What is new in a known one, takeIn refuses. */
export async function checkKnown(
  log: LogView,
  { topic, file, sourceId }: { topic: string; file: string; sourceId?: string | undefined },
  writers: Iterable<Writer>,
): Promise<void> {
  const refusal = refusalOf(topic, writers)
  if (refusal !== undefined && (await ingestEnd(log, await sourceIdOf(topic, file, sourceId))) === undefined) throw refusal
}
