import { BlockBuilder } from '../engine/block/block-builder.ts'
import type { Append, Log, Producer } from '../engine/ports/log.ts'
import { BidWriter, bidBytesMax } from '../examples/nexmark/bid-writer.ts'

export const bidsTopic = 'bids'
export const bulkCommit = 16_384

/** Creates the topic of bids and fills it: `count` bids by auction over `partitions`, each with the auction as its key, so many a commit. */
export async function fillBids(log: Log, count: number, partitions: number, recordsPerCommit = bulkCommit): Promise<void> {
  await log.createTopic({ name: bidsTopic, partitions, kind: 'stream' })
  const bids = new BidBlocks(partitions)
  const producer = await log.producer('bench-bids')
  let end = producer.end
  let pending: Promise<unknown>[] = []
  for (let from = 0; from < count; from += recordsPerCommit) {
    const to = Math.min(count, from + recordsPerCommit)
    const next = { seq: to, hash: String(to) }
    pending.push(producer.commit({ expect: end, next, appends: bids.appends(from, to) }))
    end = next
    if (pending.length * recordsPerCommit < bulkCommit) continue
    await Promise.all(pending)
    pending = []
  }
  await Promise.all(pending)
}

/** Makes blocks of bids, the ones numbered [from, to). */
export class BidBlocks {
  private readonly writer = new BidWriter()
  private readonly builders: BlockBuilder[]

  constructor(partitions: number) {
    this.builders = Array.from({ length: partitions }, () => new BlockBuilder())
  }

  appends(from: number, to: number): Append[] {
    const { writer, builders } = this
    for (let i = from; i < to; i++) {
      writer.begin(i)
      const builder = builders[writer.partition(builders.length)]!
      builder.keys.utf8(String(writer.auction))
      builder.values.need(bidBytesMax)
      builder.values.at = writer.write(builder.values.buf, builder.values.at)
      builder.end(writer.eventTime)
    }
    return builders.flatMap((builder, partition) => {
      if (builder.count === 0) return []
      const block = builder.finish()
      builder.reset()
      return [{ topic: bidsTopic, partition, block }]
    })
  }
}

/** Sends one bid at a time, as a live source does. */
export class BidSender {
  private readonly blocks = new BidBlocks(1)
  private readonly producer: Producer
  private sent: number

  constructor(producer: Producer) {
    this.producer = producer
    this.sent = producer.end.seq
  }

  /** @returns when the bid is durable. */
  async send(): Promise<void> {
    const seq = this.sent++
    const end = (n: number) => ({ seq: n, hash: n === 0 ? '' : String(n) })
    await this.producer.commit({ expect: end(seq), next: end(seq + 1), appends: this.blocks.appends(seq, seq + 1) })
  }
}
