import type { Chunk } from '../../engine/block/block-view.ts'
import type { EpochMs, Offset } from '../../engine/model/record.ts'
import type { Bounds, Commit, Committed, Log, LogReader, Pin, Producer } from '../../engine/ports/log.ts'
import type { Clock } from '../../engine/ports/world.ts'
import { PassThroughLog } from '../support/pass-through-log.ts'
import type { JournalMonitor } from './journal-monitor.ts'
import type { Scheduler } from './scheduler.ts'

/** What becomes of commits that a process had sent and that had not arrived when it was killed. */
export type Sent = 'lost' | 'arrives'

/**
 * One process: everything it asks of the world goes through here, so that it can be killed at any step. Whoever waits for an answer then
 * waits for ever; nothing that it asks for afterwards has an effect.
 */
export class Life {
  dead = false
  /** Cut off from its checkpoints and from taking identities, while another process has begun: what it still sends must be refused. */
  zombie = false
  private sent: Sent = 'lost'
  private readonly pins = new Set<Pin>()
  readonly scheduler: Scheduler
  readonly number: number
  readonly clock: Clock

  constructor(scheduler: Scheduler, number: number) {
    this.scheduler = scheduler
    this.number = number
    this.clock = {
      now: () => scheduler.now(),
      monotonic: () => scheduler.monotonic(),
      sleep: async (ms, signal) => {
        await scheduler.sleep(ms, signal)
        await this.alive()
      },
      yield: () => this.turn('turn'),
    }
  }

  kill(sent: Sent): void {
    this.dead = true
    this.sent = sent
    this.letGo()
  }

  /** The log keeps for a process what it pinned until that is over or cut off. */
  keep(pin: Pin): Pin {
    if (this.dead || this.zombie) pin.release()
    else this.pins.add(pin)
    return pin
  }

  cutOff(): void {
    this.zombie = true
    this.letGo()
  }

  private letGo(): void {
    for (const pin of this.pins) pin.release()
    this.pins.clear()
  }

  /** Waits until the seed says so; for ever when the process is dead by then. */
  async turn(label: string): Promise<void> {
    await this.scheduler.arrival(`${label} ${this.number}`)
    await this.alive()
  }

  async alive(): Promise<void> {
    if (this.dead) await never()
  }

  /** A commit on its way. */
  async delivery(label: string): Promise<void> {
    await this.scheduler.arrival(`${label} ${this.number}`)
    if (this.dead && this.sent === 'lost') await never()
  }
}

export function never(): Promise<never> {
  return new Promise(() => {})
}

/** The log as one process reaches it: commits, answers and reads arrive when the seed says so. */
export class LifeLog extends PassThroughLog {
  private readonly life: Life
  private readonly monitor: JournalMonitor

  constructor(inner: Log, life: Life, monitor: JournalMonitor) {
    super(inner)
    this.life = life
    this.monitor = monitor
  }

  override async producer(id: string): Promise<Producer> {
    const { life, monitor } = this
    await life.turn('open')
    if (life.zombie) await never()
    const producer = await this.inner.producer(id)
    await life.turn('opened')
    let sent = Promise.resolve()
    let acknowledged = producer.end.seq
    const commit = (commit: Commit): Promise<Committed> => {
      monitor.sent(id, commit.next.seq - acknowledged)
      const delivered = sent.then(() => life.delivery('deliver'))
      sent = delivered
      const answer = async (text: string) => {
        life.scheduler.note(`${text} ${id} ${commit.next.seq} ${commit.next.hash}`)
        await life.turn('answer')
      }
      return delivered
        .then(() => {
          if (life.zombie) monitor.zombieSent(id)
          return producer.commit(commit)
        })
        .then(
          async (committed) => {
            await answer('committed')
            // An answer says of all commits before it that they took place.
            acknowledged = Math.max(acknowledged, commit.next.seq)
            monitor.acknowledged(id, commit.next.seq)
            return committed
          },
          async (error: unknown) => {
            monitor.refused(error)
            await answer(`refused: ${String((error as { code?: string }).code)}`)
            throw error
          },
        )
    }
    return { id, epoch: producer.epoch, end: producer.end, commit }
  }

  override reader(topic: string, partition: number, from: Offset): LogReader {
    const { life, monitor } = this
    const reader = this.inner.reader(topic, partition, from)
    let held = 0
    const read = async (bytesMax: number): Promise<Chunk | null> => {
      await life.turn('read')
      const chunk = await reader.read(bytesMax)
      if (chunk === null) return null
      const bytes = chunk.blocks.reduce((sum, at) => sum + chunk.u32[at >> 2]!, 0)
      held += bytes
      monitor.buffered(topic, held, bytes)
      return {
        ...chunk,
        release() {
          held -= bytes
          chunk.release()
        },
      }
    }
    return {
      get position() {
        return reader.position
      },
      read,
      close: () => reader.close(),
    }
  }

  override async createTopic(spec: Parameters<Log['createTopic']>[0]) {
    await this.life.turn('create')
    return this.inner.createTopic(spec)
  }

  override async trim(topic: string, partition: number, before: Offset): Promise<void> {
    await this.life.turn('trim')
    if (this.life.zombie) await never()
    this.monitor.trimmed()
    return this.inner.trim(topic, partition, before)
  }

  override pin(topic: string, partition: number, from: Offset): Pin {
    return this.life.keep(this.inner.pin(topic, partition, from))
  }

  override bounds(topic: string, partition: number): Bounds {
    return this.inner.bounds(topic, partition)
  }

  override clock(): EpochMs {
    return this.inner.clock()
  }

  override async changed(seen: number, signal?: AbortSignal): Promise<void> {
    await this.inner.changed(seen, signal)
    await this.life.alive()
  }
}
