import { BlockBuilder } from '../../engine/block/block-builder.ts'
import { readRecords } from '../../engine/log/read-records.ts'
import type { Log, ProducerEnd } from '../../engine/ports/log.ts'
import type { Clock } from '../../engine/ports/world.ts'

const topic = 'reprise.audit'

/** One call that was to change something, whatever came of it. */
export interface AuditRow {
  readonly at: string
  readonly by: string
  readonly method: string
  readonly path: string
  readonly status: number
  readonly requestId: string
}

/** Who asked for what, in a topic of its own. */
export class AuditLog {
  private readonly log: Log
  private readonly clock: Clock
  private turn: Promise<unknown> = Promise.resolve()

  constructor(log: Log, clock: Clock) {
    this.log = log
    this.clock = clock
  }

  /** Durable when it resolves. */
  add(row: Omit<AuditRow, 'at'>): Promise<void> {
    const done = this.turn.catch(() => {}).then(() => this.addNow(row))
    this.turn = done
    return done
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

  private async addNow(row: Omit<AuditRow, 'at'>): Promise<void> {
    await this.log.createTopic({ name: topic, partitions: 1, kind: 'internal' })
    const at = this.clock.now()
    const builder = new BlockBuilder()
    builder.add({ key: null, value: Buffer.from(JSON.stringify({ at: new Date(at).toISOString(), ...row })), eventTime: at })
    const { end, commit } = await this.log.producer(topic)
    const next: ProducerEnd = { seq: end.seq + 1, hash: '' }
    await commit({ expect: end, next, appends: [{ topic, partition: 0, block: builder.finish() }] })
  }
}
