import { BlockBuilder } from '../engine/block/block-builder.ts'
import type { Log } from '../engine/ports/log.ts'
import { scramble } from '../examples/draws.ts'

export const eventsTopic = 'events'
const recordsPerCommit = 16_384
const firstAt = Date.UTC(2024, 0, 1)

/** Fills the topic of bench/jobs/count-by-key: `{ key, at }`. The first `keys` records name each key once, the others any. */
export async function fillEvents(log: Log, count: number, keys: number): Promise<void> {
  await log.createTopic({ name: eventsTopic, partitions: 1, kind: 'stream' })
  const producer = await log.producer('bench-events')
  const builder = new BlockBuilder()
  let end = producer.end
  for (let from = 0; from < count; from += recordsPerCommit) {
    const to = Math.min(count, from + recordsPerCommit)
    for (let i = from; i < to; i++) {
      const key = i < keys ? i : (scramble(i) >>> 0) % keys
      builder.values.utf8(`{"key":${key},"at":${firstAt + Math.floor(i / 10)}}`)
      builder.end(firstAt + Math.floor(i / 10))
    }
    const next = { seq: to, hash: String(to) }
    await producer.commit({ expect: end, next, appends: [{ topic: eventsTopic, partition: 0, block: builder.finish() }] })
    builder.reset()
    end = next
  }
}
