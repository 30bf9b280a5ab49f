import type { NewRecord } from '../../engine/model/record.ts'
import type { Log } from '../../engine/ports/log.ts'
import type { Logger } from '../../engine/ports/world.ts'
import { type Appended, TopicAppender } from '../topic-appender.ts'

export interface IngestProducersOptions {
  readonly log: Log
  readonly logger: Logger
  /** Kept at hand; the log has each of them in memory and in its heads. */
  readonly producersMax?: number
}

const defaultProducersMax = 1000
/** Laid to rest at once: they share syncs of the log. */
const restAtOnce = 64
const prefix = 'http:'

/**
 * Who sends records to the server. Those that were used last are kept at hand, the others are at rest: a record in the log says how far each came.
 * Owns: the appenders of HTTP ingest.
 * Invariants: I1 one appender a producer, until it is at rest; I2 at most `producersMax` and those in use, or twice as many for a moment.
 */
export class IngestProducers {
  private readonly log: Log
  private readonly logger: Logger
  private readonly producersMax: number
  /** By name; used longest ago first. */
  private readonly appenders = new Map<string, TopicAppender>()
  private resting: Promise<void> | undefined = undefined
  private closed = false

  /** Also takes over what an earlier life has left in the log; since when it was not used nobody knows. */
  constructor({ log, logger, producersMax = defaultProducersMax }: IngestProducersOptions) {
    this.log = log
    this.logger = logger
    this.producersMax = producersMax
    for (const id of log.producers()) if (id.startsWith(prefix)) this.appenders.set(id, new TopicAppender(log, topicOf(id), id))
    void this.makeRoom()
  }

  /**
   * Records of one producer, in the order of the calls; durable when it resolves. @param producer names them for good; undefined: nobody in particular.
   * @param sequence see TopicAppender.append, errors too.
   */
  async append(
    topic: string,
    producer: string | undefined,
    records: readonly NewRecord[],
    sequence: number | undefined,
  ): Promise<Appended> {
    const id = producer === undefined ? `${prefix}${topic}` : `${prefix}${topic}:${producer}`
    // L8: new ones do not come faster than others are laid to rest.
    if (!this.appenders.has(id) && this.appenders.size >= 2 * this.producersMax) await this.makeRoom()
    const appender = this.appenders.get(id) ?? new TopicAppender(this.log, topic, id)
    this.appenders.delete(id)
    this.appenders.set(id, appender)
    try {
      // In the same turn as it was found: from here on it is in use.
      return await appender.append(records, sequence)
    } finally {
      void this.makeRoom()
    }
  }

  /** Nobody is laid to rest any more when it resolves. */
  async close(): Promise<void> {
    this.closed = true
    await this.resting
  }

  private makeRoom(): Promise<void> {
    if (this.appenders.size <= this.producersMax) return Promise.resolve()
    this.resting ??= this.restUnused()
      .catch((error: unknown) => this.logger.warn({ error }, 'producers could not be laid to rest; tried again with the next records'))
      .finally(() => {
        this.resting = undefined
      })
    return this.resting
  }

  private async restUnused(): Promise<void> {
    while (!this.closed) {
      const surplus = Math.min(restAtOnce, this.appenders.size - this.producersMax)
      const unused = surplus > 0 ? this.unused(surplus) : []
      if (unused.length === 0) return
      await Promise.all(unused.map(([id, appender]) => this.layToRest(id, appender)))
    }
  }

  private unused(count: number): (readonly [string, TopicAppender])[] {
    const found: (readonly [string, TopicAppender])[] = []
    for (const entry of this.appenders) {
      if (found.length === count) break
      if (entry[1].idle) found.push(entry)
    }
    return found
  }

  private async layToRest(id: string, appender: TopicAppender): Promise<void> {
    await appender.rest()
    // I1: who came meanwhile goes on with this one.
    if (appender.idle) this.appenders.delete(id)
  }
}

function topicOf(id: string): string {
  return id.slice(prefix.length).split(':', 1)[0]!
}
