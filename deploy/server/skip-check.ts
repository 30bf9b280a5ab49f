import { StreamError } from '../../engine/errors.ts'
import type { Log } from '../../engine/ports/log.ts'
import { type Positions, partitionName } from '../../engine/runtime/steering.ts'
import type { Place } from '../../replay/control-event.ts'
import type { VersionState } from '../../replay/control-state.ts'
import { wrongState } from './wrong-state.ts'

export interface Skipping {
  readonly job: string
  readonly state: VersionState
  /** Topics it reads. */
  readonly sources: readonly string[]
  /** Where it stands; undefined: not known. */
  readonly positions: Positions | undefined
}

/**
 * Refuses a record that a version can't pass over: TOPIC_UNKNOWN where it does not read that topic, VERSION_STATE when it has taken it, since what was
 * committed stays, OFFSET_OUT_OF_RANGE when it is not there.
 */
export function checkSkip(
  log: Pick<Log, 'bounds'>,
  { job, state, sources, positions }: Skipping,
  { topic, partition, offset }: Place,
): void {
  if (!sources.includes(topic))
    throw new StreamError('TOPIC_UNKNOWN', { topic, reason: 'the job does not read it' }, { fix: `it reads ${sources.join(', ')}` })
  const { start, end } = log.bounds(topic, partition)
  const position = positions?.get(partitionName(topic, partition))
  if (position !== undefined && position > offset) throw wrongState(job, state, 'it has taken this record already', `reprise status ${job}`)
  if (offset >= start && offset < end) return
  const fix = 'name a record that is there; reprise status shows where the version stands'
  throw new StreamError('OFFSET_OUT_OF_RANGE', { topic, partition, offset, earliest: start, end }, { fix })
}
