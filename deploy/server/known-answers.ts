import { z } from 'zod'
import { readRecords } from '../../engine/log/read-records.ts'
import type { Log } from '../../engine/ports/log.ts'
import type { Clock } from '../../engine/ports/world.ts'
import { TopicAppender } from '../topic-appender.ts'

const topic = 'reprise.answers'
const keptMs = 86_400_000
/** At the start all of the topic is read. */
const topicBytesMax = 64 << 20

const answersMax = 10_000
/** Of keys and answers: those that came first are forgotten. */
const memoryBytesMax = 32 << 20

const answered = z.object({
  key: z.string(),
  /** Hash of the body that was sent. */
  body: z.string(),
  status: z.number(),
  headers: z.record(z.string(), z.string()),
  payload: z.unknown(),
})
export type Answered = Readonly<z.infer<typeof answered>>

/** What was answered to calls with an Idempotency-Key, in memory and in a topic of the log: a key outlives the process. */
export class KnownAnswers {
  private readonly log: Log
  private readonly clock: Clock
  private readonly bytesMax: number
  private readonly appender: TopicAppender
  private readonly known = new Map<string, Answered>()
  private bytes = 0

  static async open(log: Log, clock: Clock, bytesMax = memoryBytesMax): Promise<KnownAnswers> {
    const answers = new KnownAnswers(log, clock, bytesMax)
    if (log.topic(topic) !== undefined) {
      for await (const { value } of readRecords(log, topic, 0, log.bounds(topic, 0).start)) {
        // Of another release it may be of another form: as one that was forgotten.
        const { data } = answered.safeParse(JSON.parse(Buffer.from(value!).toString()))
        if (data !== undefined) answers.remember(data)
      }
    }
    return answers
  }

  private constructor(log: Log, clock: Clock, bytesMax: number) {
    this.log = log
    this.clock = clock
    this.bytesMax = bytesMax
    this.appender = new TopicAppender(log, topic, topic)
  }

  get(key: string): Answered | undefined {
    return this.known.get(key)
  }

  /** Known from now on, also where the log refuses it; durable when it resolves. Errors: those of Producer.commit. */
  async keep(answer: Answered): Promise<void> {
    this.remember(answer)
    await this.log.createTopic({ name: topic, partitions: 1, kind: 'internal', retentionMs: keptMs, retentionBytes: topicBytesMax })
    await this.appender.append([{ key: Buffer.from(answer.key), value: Buffer.from(JSON.stringify(answer)), eventTime: this.clock.now() }])
  }

  /** Until the process ends: what holds a secret is in no topic. */
  remember(answer: Answered): void {
    const before = this.known.get(answer.key)
    if (before !== undefined) this.forget(before)
    this.known.set(answer.key, answer)
    this.bytes += sizeOf(answer)
    for (const oldest of this.known.values()) {
      if (this.known.size <= answersMax && this.bytes <= this.bytesMax) return
      this.forget(oldest)
    }
  }

  private forget(answer: Answered): void {
    this.known.delete(answer.key)
    this.bytes -= sizeOf(answer)
  }
}

function sizeOf({ key, payload }: Answered): number {
  return key.length + (typeof payload === 'string' ? payload.length : 0)
}
