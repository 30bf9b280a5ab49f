import { expect, test } from 'vitest'
import { z } from 'zod'
import { TestKit } from '../../../deploy/testing/test-kit.ts'
import { count, defineJob, output, sum, topic, tumbling, type WindowOptions } from '../../../index.ts'

const minute = 60_000
const noon = Date.UTC(2026, 0, 1, 12)
const clicks = topic('clicks', { value: z.object({ user: z.string(), at: z.number() }), eventTime: ({ at }) => at, idleAfter: 'never' })
const byUser = topic('by-user-rows', {
  value: z.object({ user: z.string(), start: z.number(), n: z.number(), early: z.boolean() }),
  kind: 'table',
  key: ({ user, start }) => `${user}@${(start - noon) / minute}`,
})
const inAll = topic('in-all', {
  value: z.object({ start: z.number(), users: z.number(), n: z.number() }),
  kind: 'table',
  key: ({ start }) => String((start - noon) / minute),
})
const finals = topic('finals', { value: z.object({ n: z.number() }) })

/** Clicks of each user in 10 minutes, of all of them in 30. */
const jobOf = (inner: WindowOptions<never>, outer: WindowOptions<never>) =>
  defineJob('clicks-so-far', (builder) => {
    const rows = builder
      .from(clicks)
      .keyBy('by-user', ({ user }) => user)
      .window('users', tumbling('10m', inner))
      .aggregate({ n: count() })
    rows.map(({ n }, { key, start, early }) => ({ user: key, start, n, early: early === true })).to(byUser)
    const all = rows.keyBy('all', () => 'all')
    all
      .window('everybody', tumbling('30m', outer))
      .aggregate({ users: count(), n: sum((row) => row.n) })
      .map((row, { start }) => ({ start, ...row }))
      .to(inAll)
    all
      .process('by-time', {
        output: output<{ n: number }>(),
        onRecord({ emit }, { n }) {
          emit({ n })
        },
      })
      .to(finals)
  })
const early = jobOf({ early: '1m' }, { early: '2m' })
const plain = jobOf({}, {})

const at = (minutes: number, ...users: string[]) => users.map((user) => ({ user, at: noon + minutes * minute }))
const rows = async (kit: TestKit) =>
  Object.fromEntries([...(await kit.table(byUser))].map(([key, { n, early }]) => [key, early ? `${n} so far` : n]))

for (const parallelism of [1, 3]) {
  test(`results so far, taken back and replaced through a second aggregation, with ${parallelism} tasks`, async () => {
    await using kit = await TestKit.start(early, { startAt: noon + 60 * minute, parallelism })
    await kit.send(clicks, at(0.5, 'ann', 'bob'))
    await kit.settle()
    expect(await rows(kit)).toEqual({})
    await kit.send(clicks, at(2, 'ann'))
    await kit.settle()
    expect(await rows(kit)).toEqual({ 'ann@0': '2 so far', 'bob@0': '1 so far' })
    expect((await kit.table(inAll)).get('0')).toMatchObject({ users: 2, n: 3 })
    await kit.crash()
    await kit.restart()
    await kit.send(clicks, [...at(3, 'ann'), ...at(4, 'eve')])
    await kit.settle()
    expect(await rows(kit)).toEqual({ 'ann@0': '3 so far', 'bob@0': '1 so far', 'eve@0': '1 so far' })
    expect((await kit.table(inAll)).get('0')).toMatchObject({ users: 3, n: 5 })
    expect(await kit.output(finals)).toEqual([])
    await kit.send(clicks, at(11, 'ann'))
    await kit.settle()
    expect(await rows(kit)).toEqual({ 'ann@0': 3, 'bob@0': 1, 'eve@0': 1, 'ann@10': '1 so far' })
    await kit.complete()
    expect(await rows(kit)).toEqual({ 'ann@0': 3, 'bob@0': 1, 'eve@0': 1, 'ann@10': 1 })
    // What is ordered by time sees final rows only.
    expect((await kit.output(finals)).map(({ value }) => value!.n).sort()).toEqual([1, 1, 1, 3])

    await using other = await TestKit.start(plain, { startAt: noon + 60 * minute })
    await other.send(clicks, [...at(0.5, 'ann', 'bob'), ...at(2, 'ann'), ...at(3, 'ann'), ...at(4, 'eve'), ...at(11, 'ann')])
    await other.complete()
    expect(await rows(other)).toEqual(await rows(kit))
    expect(await other.table(inAll)).toEqual(await kit.table(inAll))
  })
}

test('by processing time, results so far come with the clock although nothing else does', async () => {
  const counts = topic('counts', { value: z.object({ n: z.number(), early: z.boolean() }) })
  const job = defineJob('clock', (builder) =>
    builder
      .from(clicks)
      .keyBy('by-user', ({ user }) => user)
      .window('minutes', tumbling('10m', { time: 'processing', early: '1m' }))
      .aggregate({ n: count() })
      .map(({ n }, { early }) => ({ n, early: early === true }))
      .to(counts),
  )
  await using kit = await TestKit.start(job, { startAt: noon })
  await kit.send(clicks, at(0, 'ann', 'ann'))
  await kit.advanceTime(30_000)
  await kit.settle()
  expect(await kit.output(counts)).toEqual([])
  await kit.advanceTime(2 * minute)
  await kit.settle()
  expect((await kit.output(counts)).map(({ value }) => value)).toEqual([{ n: 2, early: true }])
  await kit.advanceTime(10 * minute)
  await kit.settle()
  expect((await kit.output(counts)).map(({ value }) => value)).toEqual([
    { n: 2, early: true },
    { n: 2, early: false },
  ])
})
