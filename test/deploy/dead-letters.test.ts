import { expect, test } from 'vitest'
import { DeadLetterList } from '../../deploy/dead-letters.ts'
import { MemoryLog } from '../../engine/log/memory/memory-log.ts'
import { block, Writer } from '../contract/log/records.ts'
import { SimClock } from '../support/sim-clock.ts'

const mebi = 1 << 20

test('a page of dead letters ends before it is too large, and says where the next begins', async () => {
  const log = new MemoryLog({ clock: new SimClock() })
  await log.createTopic({ name: 'shop.dead-letters', partitions: 1, kind: 'stream' })
  const writer = await Writer.open(log)
  for (const bytes of [3 * mebi, 3 * mebi, 3 * mebi, 9 * mebi, 10, 10])
    await writer.send({ topic: 'shop.dead-letters', partition: 0, block: block({ key: null, value: Buffer.alloc(bytes), eventTime: 0 }) })
  const list = new DeadLetterList(log, 'shop')
  const query = { all: false, error: undefined, limit: 1000 }
  const pages: number[][] = []
  for (let from: number | undefined = 0; from !== undefined; ) {
    const { letters, next }: Awaited<ReturnType<DeadLetterList['page']>> = await list.page({ ...query, from })
    pages.push(letters.map(({ id }) => id))
    from = next
  }
  expect(pages).toEqual([[0, 1], [2], [3], [4, 5]])
  expect((await list.page({ ...query, limit: undefined, bytesMax: Number.POSITIVE_INFINITY })).letters).toHaveLength(6)
})
