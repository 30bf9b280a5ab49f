import { readRecords } from '../../engine/log/read-records.ts'
import type { Log } from '../../engine/ports/log.ts'
import type { Clock } from '../../engine/ports/world.ts'
import { TopicAppender } from '../topic-appender.ts'

const topic = 'reprise.audit'

/** One call that was to change something, whatever came of it. */
export interface AuditRow {
  readonly at: string
  readonly by: string
  readonly method: string
  readonly path: string
  /** What it was about, where it named one, or the server took one. */
  readonly job?: string | undefined
  readonly version?: number | undefined
  readonly status: number
  readonly requestId: string
}

/** Who asked for what, in a topic of its own. */
export class AuditLog {
  private readonly log: Log
  private readonly clock: Clock
  private readonly appender: TopicAppender

  constructor(log: Log, clock: Clock) {
    this.log = log
    this.clock = clock
    this.appender = new TopicAppender(log, topic, topic)
  }

  /** Durable when it resolves. */
  async add(row: Omit<AuditRow, 'at'>): Promise<void> {
    await this.log.createTopic({ name: topic, partitions: 1, kind: 'internal' })
    const at = this.clock.now()
    const value = Buffer.from(JSON.stringify({ at: new Date(at).toISOString(), ...row }))
    await this.appender.append([{ key: null, value, eventTime: at }])
  }

  /** The newest rows, newest first. */
  async newest(limit: number): Promise<AuditRow[]> {
    if (this.log.topic(topic) === undefined) return []
    const { start, end } = this.log.bounds(topic, 0)
    const rows: AuditRow[] = []
    for await (const { value } of readRecords(this.log, topic, 0, Math.max(start, end - limit), end))
      rows.push(JSON.parse(Buffer.from(value!).toString()) as AuditRow)
    return rows.reverse()
  }
}
