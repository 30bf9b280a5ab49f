import { expect, test } from 'vitest'
import { z } from 'zod'
import { TestKit } from '../../../deploy/testing/test-kit.ts'
import { count, defineJob, topic, tumbling } from '../../../index.ts'

const clicks = topic('clicks', { value: z.object({ user: z.string(), at: z.number() }), eventTime: ({ at }) => at, idleAfter: 'never' })
const singles = topic('singles', {
  value: z.object({ user: z.string(), start: z.number() }),
  kind: 'table',
  key: ({ user, start }) => `${user}@${start}`,
})

/** Who clicked exactly once in a window. */
const job = defineJob('singles', (builder) =>
  builder
    .from(clicks)
    .keyBy('by-user', ({ user }) => user)
    .window('window', tumbling(1000, { allowedLateness: 5000 }))
    .aggregate({ n: count() })
    .filter(({ n }) => n === 1)
    .map((_, { key, start }) => ({ user: key, start }))
    .to(singles),
)

test('a row that is taken back and not replaced is gone from the table when the slice is committed', async () => {
  await using kit = await TestKit.start(job, { startAt: 1_000_000 })
  await kit.send(clicks, [
    { user: 'a', at: 100 },
    { user: 'b', at: 200 },
    { user: 'b', at: 2000 },
  ])
  await kit.settle()
  expect([...(await kit.table(singles)).keys()]).toEqual(['a@0', 'b@0'])
  await kit.send(clicks, [{ user: 'a', at: 300 }])
  await kit.settle()
  expect([...(await kit.table(singles)).keys()]).toEqual(['b@0'])
})
