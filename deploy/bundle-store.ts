import { z } from 'zod'
import { StreamError } from '../engine/errors.ts'
import { readRecords } from '../engine/log/read-records.ts'
import type { Log } from '../engine/ports/log.ts'
import type { JobBundle } from '../engine/runtime/load-job.ts'
import { TopicAppender } from './topic-appender.ts'
import { Turn } from './turn.ts'

const topic = 'reprise.bundles'

const stored = z.object({ name: z.string(), text: z.string(), map: z.string() })

/** The bundles of all versions, in the log itself: one record each, its key the sha-256 of the text. */
export class BundleStore {
  private readonly log: Log
  private readonly appender: TopicAppender
  private readonly turn = new Turn()

  constructor(log: Log) {
    this.log = log
    this.appender = new TopicAppender(log, topic, topic)
  }

  /** Durable when it resolves. The same text again adds nothing. */
  put(bundle: JobBundle, at: number): Promise<void> {
    return this.turn.take(() => this.putNow(bundle, at))
  }

  private async putNow({ sha256, name, text, map }: JobBundle, at: number): Promise<void> {
    await this.log.createTopic({ name: topic, partitions: 1, kind: 'internal' })
    if ((await this.find(sha256)) !== undefined) return
    const value = Buffer.from(JSON.stringify({ name, text, map }))
    await this.appender.append([{ key: Buffer.from(sha256), value, eventTime: at }])
  }

  /** LOG_CORRUPT when there is none: a version that was registered has one. */
  async get(sha256: string): Promise<JobBundle> {
    const bundle = await this.find(sha256)
    if (bundle === undefined)
      throw new StreamError('LOG_CORRUPT', { topic, sha256, reason: 'the bundle of a registered version is missing' })
    return bundle
  }

  private async find(sha256: string): Promise<JobBundle | undefined> {
    if (this.log.topic(topic) === undefined) return undefined
    const key = Buffer.from(sha256)
    for await (const record of readRecords(this.log, topic, 0, this.log.bounds(topic, 0).start))
      if (record.key !== null && key.equals(record.key))
        return { sha256, ...stored.parse(JSON.parse(Buffer.from(record.value!).toString())) }
    return undefined
  }
}
