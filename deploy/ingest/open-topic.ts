import { StreamError } from '../../engine/errors.ts'
import type { Log, TopicSpec } from '../../engine/ports/log.ts'
import { checkTopicName } from '../../operators/topic-name.ts'
import { jobsOf } from '../../replay/control-log.ts'
import { checkNoOutput, type Writer } from '../output-owner.ts'

export interface TopicWish {
  /** Undefined: as it is; a new one is a stream with one partition. */
  readonly kind: TopicSpec['kind'] | undefined
  readonly partitions: number | undefined
}

/**
 * Makes sure that a topic is there and takes records that no job writes.
 * Errors: those of checkTakesRecords, TOPIC_EXISTS when it is there with other settings than wished for.
 */
export async function openTopic(log: Log, name: string, writers: Iterable<Writer>, { kind, partitions }: TopicWish): Promise<void> {
  checkTakesRecords(log, name, writers)
  const existing = log.topic(name)
  await log.createTopic({
    name,
    kind: kind ?? existing?.kind ?? 'stream',
    partitions: partitions ?? existing?.partitions ?? 1,
  })
}

/** Errors: TOPIC_NAME_INVALID for names that are a job's own, OUTPUT_OWNED. */
export function checkTakesRecords(log: Log, name: string, writers: Iterable<Writer>): void {
  checkTopicName(name)
  const jobs = jobsOf(log)
  if (
    log.topic(name)?.kind === 'internal' ||
    jobs.some((job) => [`${job}.dead-letters`, `${job}.late`, `${job}.dlq-decisions`].includes(name))
  ) {
    throw new StreamError('TOPIC_NAME_INVALID', { topic: name, reason: "it is a job's own topic" }, { fix: 'choose another name' })
  }
  checkNoOutput(name, writers)
}
