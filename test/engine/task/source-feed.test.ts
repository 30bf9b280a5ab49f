import { expect, test } from 'vitest'
import type { SourceNode } from '../../../engine/model/topology.ts'
import { InputBuffer } from '../../../engine/task/input-buffer.ts'
import { SourceFeed } from '../../../engine/task/source-feed.ts'
import { Watermarks } from '../../../engine/task/watermarks.ts'

type Parts = ConstructorParameters<typeof SourceFeed>

test('a partition that is complete holds the watermark at its last time also after a restart', () => {
  const first = partition()
  first.feed.raise(50)
  first.feed.raise(Number.POSITIVE_INFINITY)
  const again = partition()
  again.feed.load(first.feed.save())
  for (const { watermarks, other } of [first, again]) {
    watermarks.raise(other, 40)
    expect(watermarks.next()).toBe(40)
    watermarks.raise(other, 60)
    expect(watermarks.next()).toBe(50)
    watermarks.raise(other, Number.POSITIVE_INFINITY)
    expect(watermarks.next()).toBe(Number.POSITIVE_INFINITY)
  }
})

/** Beside it another channel of its task. */
function partition() {
  const watermarks = new Watermarks()
  const node = { topic: { name: 'events', outOfOrdernessMs: 0 } } as SourceNode
  const buffer = new InputBuffer(0, () => {
    throw new Error('nothing is read')
  })
  const task = { watermarks } as Parts[1]
  const feed = new SourceFeed({ buffer, node, partition: 0, ordinal: 0, channel: watermarks.addChannel() }, task)
  return { watermarks, feed, other: watermarks.addChannel() }
}
