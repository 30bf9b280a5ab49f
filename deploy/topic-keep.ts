import { StreamError } from '../engine/errors.ts'
import type { KeepChange, Log, TopicInfo } from '../engine/ports/log.ts'

/** What of a topic keeps its records from being there for ever, as it is shown; null and false: nothing. */
export interface ShownKeep {
  readonly retentionMs: number | null
  readonly retentionBytes: number | null
  readonly compacted: boolean
}

/** Pure. */
export function shownKeep({ retentionMs = null, retentionBytes = null, compacted = false }: Partial<ShownKeep>): ShownKeep {
  return { retentionMs, retentionBytes, compacted }
}

/** Changes what a topic keeps. Errors: TOPIC_UNKNOWN, REQUEST_INVALID (a topic that only Reprise trims, compaction of what is no table). */
export async function changeKeep(log: Log, name: string, change: KeepChange): Promise<TopicInfo> {
  const info = log.topic(name)
  if (info === undefined) throw new StreamError('TOPIC_UNKNOWN', { topic: name }, { fix: 'reprise topics lists them' })
  if (info.kind === 'internal')
    throw new StreamError(
      'REQUEST_INVALID',
      { topic: name, reason: 'it is of Reprise itself, which trims it' },
      { fix: 'name a stream or a table' },
    )
  if (change.compacted && info.kind !== 'table')
    throw new StreamError('REQUEST_INVALID', { topic: name, reason: 'only a table can be compacted' }, { fix: 'give it a retention' })
  return log.setTopic(name, change)
}
