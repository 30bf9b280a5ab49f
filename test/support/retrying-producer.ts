import { assert } from '../../engine/assert.ts'
import { BlockView } from '../../engine/block/block-view.ts'
import { codeOf, StreamError } from '../../engine/errors.ts'
import type { EpochMs, Offset } from '../../engine/model/record.ts'
import type { Append, Commit, Committed, Log, Producer, ProducerEnd } from '../../engine/ports/log.ts'

interface Sent {
  readonly commit: Commit
  /** Ends of the partitions when it was first sent: its records are not below. */
  readonly from: readonly Offset[]
  /** What the log's clock said then: its append time is not below. */
  readonly time: EpochMs
  answer: Promise<Committed>
  resolve(committed: Committed): void
  reject(error: unknown): void
}

/**
 * A producer that retries: after LOG_UNAVAILABLE or COMMIT_OUTCOME_UNKNOWN it opens itself anew, looks at the end, takes what is in it as
 * committed and sends the rest again. Once another was opened under its name it only looks: what is not in that one's end is fenced.
 */
export class RetryingProducer implements Producer {
  readonly id: string
  readonly epoch: number
  readonly end: ProducerEnd
  private readonly log: Log
  private readonly exclusively: <T>(open: () => Promise<T>) => Promise<T>
  private opened: Producer
  private acknowledged: ProducerEnd
  private lastAppendTime: EpochMs = 0
  private successorsEnd: ProducerEnd | undefined
  /** Not answered yet, in the order sent. */
  private readonly queue: Sent[] = []
  private settling = false
  /** Meanwhile nothing is sent: the order would be lost. */
  private recovering = false
  /** By topic id and partition: where the last found records of ours ended. */
  private readonly ends = new Map<string, Offset>()

  constructor(log: Log, opened: Producer, exclusively: <T>(open: () => Promise<T>) => Promise<T>) {
    this.log = log
    this.opened = opened
    this.exclusively = exclusively
    this.id = opened.id
    this.epoch = opened.epoch
    this.end = this.acknowledged = opened.end
  }

  supersede(end: ProducerEnd): void {
    this.successorsEnd = end
  }

  /** Whoever still holds it only looks from now on. */
  forget(): Promise<void> {
    return this.exclusively(async () => {
      await this.log.forgetProducer(this.id, this.opened.epoch)
      this.supersede(this.acknowledged)
    })
  }

  commit(commit: Commit): Promise<Committed> {
    return new Promise((resolve, reject) => {
      const from = commit.appends.map(({ topic, partition }) => {
        const known = (this.log.topic(topic)?.partitions ?? 0) > partition && partition >= 0 && Number.isInteger(partition)
        return known ? this.log.bounds(topic, partition).end : 0
      })
      this.queue.push({ commit, from, time: this.log.clock(), answer: this.recovering ? notSent : this.send(commit), resolve, reject })
      if (!this.settling) void this.settle()
    })
  }

  private send(commit: Commit): Promise<Committed> {
    // The log takes the blocks over: keep ours.
    const answer = this.opened.commit({ ...commit, appends: commit.appends.map((one) => ({ ...one, block: Uint8Array.from(one.block) })) })
    answer.catch(() => {})
    return answer
  }

  private async settle(): Promise<void> {
    this.settling = true
    for (let sent = this.queue[0]; sent !== undefined; sent = this.queue[0]) {
      try {
        this.acknowledge(sent, await sent.answer)
      } catch (error) {
        if (mayPass(error)) {
          await this.recover().catch((cause) => this.rejectAll(cause))
        } else {
          this.queue.shift()
          sent.reject(error)
        }
      }
    }
    this.settling = false
  }

  private async recover(): Promise<void> {
    this.recovering = true
    await Promise.allSettled(this.queue.map((sent) => sent.answer))
    await this.exclusively(async () => {
      if (this.successorsEnd === undefined) this.opened = await persist(() => this.log.producer(this.id))
      const end = this.successorsEnd ?? this.opened.end
      const takenLast = equal(end, this.acknowledged) ? -1 : this.queue.findIndex((sent) => equal(sent.commit.next, end))
      for (const sent of this.queue.slice(0, takenLast + 1)) this.acknowledge(sent, await this.find(sent))
      if (this.successorsEnd !== undefined) this.rejectAll(new StreamError('COMMIT_FENCED', { producer: this.id }))
      this.recovering = false
      for (const sent of this.queue) sent.answer = this.send(sent.commit)
    })
  }

  private acknowledge(sent: Sent, committed: Committed): void {
    assert(this.queue.shift() === sent, 'commits are answered in the order sent')
    this.acknowledged = sent.commit.next
    this.lastAppendTime = committed.appendTime
    for (const [i, append] of sent.commit.appends.entries())
      this.ends.set(this.placeOf(append), committed.baseOffsets[i]! + countOf(append))
    sent.resolve(committed)
  }

  private rejectAll(error: unknown): void {
    this.recovering = false
    for (const sent of this.queue.splice(0)) sent.reject(error)
  }

  /** Where the records of a commit are of which we only know that it was taken. */
  private async find({ commit, from, time }: Sent): Promise<Committed> {
    const baseOffsets: Offset[] = []
    // A commit without records left no trace of its time: the earliest it can have been.
    let appendTime = Math.max(time, this.lastAppendTime)
    const ends = new Map(this.ends)
    for (const [i, append] of commit.appends.entries()) {
      const place = this.placeOf(append)
      const found = await findAppend(this.log, append, Math.max(from[i]!, ends.get(place) ?? 0))
      baseOffsets.push(found.baseOffset)
      appendTime = found.appendTime
      ends.set(place, found.baseOffset + countOf(append))
    }
    return { appendTime, baseOffsets }
  }

  private placeOf({ topic, partition }: Append): string {
    return `${this.log.topic(topic)?.id}/${partition}`
  }
}

/** Stands for the answer of a commit that recovery will send. */
const notSent = new Promise<Committed>(() => {})

/** Does it again for as long as LOG_UNAVAILABLE may pass. */
export async function persist<T>(attempt: () => Promise<T>): Promise<T> {
  for (let left = 50; ; left--) {
    try {
      return await attempt()
    } catch (error) {
      if (codeOf(error) !== 'LOG_UNAVAILABLE' || left === 0) throw error
    }
  }
}

function mayPass(error: unknown): boolean {
  return codeOf(error) === 'LOG_UNAVAILABLE' || codeOf(error) === 'COMMIT_OUTCOME_UNKNOWN'
}

async function findAppend(log: Log, append: Append, from: Offset): Promise<{ baseOffset: Offset; appendTime: EpochMs }> {
  const wanted = Buffer.from(append.block.buffer, append.block.byteOffset).readUInt32LE(32)
  const reader = log.reader(append.topic, append.partition, from)
  for (let chunk = await persist(() => reader.read(1 << 20)); chunk !== null; chunk = await persist(() => reader.read(1 << 20))) {
    for (const at of chunk.blocks) {
      const block = new BlockView(chunk, at)
      let baseOffset = block.baseOffset
      for (const { count, contentChecksum, appendTime } of block.originals()) {
        if (baseOffset >= from && contentChecksum === wanted && count === countOf(append)) return { baseOffset, appendTime }
        baseOffset += count
      }
    }
  }
  throw new Error(`no records of a taken commit in ${append.topic}/${append.partition} from ${from} on`)
}

function countOf({ block }: Append): number {
  return Buffer.from(block.buffer, block.byteOffset).readUInt32LE(12)
}

function equal(a: ProducerEnd, b: ProducerEnd): boolean {
  return a.seq === b.seq && a.hash === b.hash
}
