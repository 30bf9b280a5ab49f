import { assert } from '../assert.ts'
import { StreamError } from '../errors.ts'
import type { KeepChange, TopicInfo, TopicSpec } from '../ports/log.ts'

/**
 * The rules on new topics that every adapter shares.
 * @param existing the topic that has this name already.
 * @returns true when the topic is to be made, false when it is there with these settings; what it keeps beside those that are named may have been changed.
 * @throws StreamError TOPIC_NAME_INVALID (Kafka's rule), TOPIC_EXISTS (details: topic, existing, asked).
 */
export function isNewTopic(spec: TopicSpec, existing: TopicInfo | undefined): boolean {
  checkTopicName(spec.name)
  assert(Number.isInteger(spec.partitions) && spec.partitions > 0, () => `topic ${spec.name} with ${spec.partitions} partitions`)
  assert(!spec.compacted || spec.kind === 'table', () => `topic ${spec.name} is compacted and not a table`)
  if (existing === undefined) return true
  const there = settingsOf(existing)
  const asked = settingsOf({ ...there, ...spec })
  if (JSON.stringify(asked) === JSON.stringify(there)) return false
  throw new StreamError(
    'TOPIC_EXISTS',
    { topic: spec.name, existing: there, asked },
    { fix: 'leave out what differs: the settings of a topic stay; or choose another topic' },
  )
}

/** The topic with what it keeps changed. */
export function withKeep({ id, name, partitions, kind, ...keep }: TopicInfo, change: KeepChange): TopicInfo {
  const { retentionMs = keep.retentionMs, retentionBytes = keep.retentionBytes, compacted = keep.compacted } = change
  assert(!compacted || kind === 'table', () => `topic ${name} is compacted and not a table`)
  const kept = {
    ...(typeof retentionMs === 'number' ? { retentionMs } : {}),
    ...(typeof retentionBytes === 'number' ? { retentionBytes } : {}),
    ...(compacted ? { compacted } : {}),
  }
  return { ...settingsOf({ name, partitions, kind, ...kept }), id }
}

/** The settings alone, in one order, with what is absent left out. */
export function settingsOf({ name, partitions, kind, retentionMs, retentionBytes, compacted }: TopicSpec): TopicSpec {
  return {
    name,
    partitions,
    kind,
    ...(retentionMs === undefined ? {} : { retentionMs }),
    ...(retentionBytes === undefined ? {} : { retentionBytes }),
    ...(compacted ? { compacted } : {}),
  }
}

function checkTopicName(name: string): void {
  if (/^[a-zA-Z0-9._-]{1,249}$/.test(name) && name !== '.' && name !== '..') return
  throw new StreamError('TOPIC_NAME_INVALID', { topic: name }, { fix: 'use 1 to 249 of the characters a-z A-Z 0-9 . _ -' })
}
