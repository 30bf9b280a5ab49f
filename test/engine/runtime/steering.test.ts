import { expect, test } from 'vitest'
import { z } from 'zod'
import { readJournal } from '../../../engine/runtime/recover.ts'
import { count, defineJob, topic, tumbling } from '../../../index.ts'
import { headerOf } from '../../sim/laws.ts'
import { recordsOf } from '../../sim/log-records.ts'
import { steeredVersion } from './steered-version.ts'

test('a life that knows nothing of what was decided does nothing until it knows who publishes', async () => {
  const { version, log, steer, send, published, stop } = await steeredVersion({ control: 0, publishes: false })
  void version.run('stopped')
  await send(0)
  expect(await published()).toBe(0)
  steer({ control: 1, publishes: true })
  expect(await published()).toBe(1)
  await stop()
  await log.close()
})

test('a life that knows less of what was decided than the one before does nothing until it knows as much', async () => {
  const { version, log, steer, send, published, stop } = await steeredVersion({ control: 5, publishes: true })
  void version.run('stopped')
  await send(0)
  expect(await published()).toBe(1)
  await stop()

  steer({ control: 4, publishes: true })
  void version.run('stopped')
  await send(1)
  expect(await published()).toBe(1)
  steer({ control: 5, publishes: true })
  expect(await published()).toBe(2)
  await stop()
  await log.close()
})

test('a task stands still as long as it is told to, whatever its clock says, and for the next one to ask anew', async () => {
  const { version, log, clock, steer, send, published, stop } = await steeredVersion({ control: 1, publishes: true })
  const holds = async () =>
    (await readJournal(log, 'steered.v1.journal', 0)).flatMap(({ record }) => (record.slice.hold === undefined ? [] : [record.slice.hold]))
  void version.run('stopped')
  await send(0)
  expect(await published()).toBe(1)
  steer({ control: 2, publishes: true, hold: { id: 'first' } })
  expect(await published()).toBe(1)
  await send(1)
  clock.advance(24 * 3_600_000)
  expect(await published()).toBe(1)
  expect(await holds()).toEqual(['first'])

  // The first one was given up, and nothing came in between.
  steer({ control: 4, publishes: true, hold: { id: 'second' } })
  expect(await published()).toBe(1)
  expect(await holds()).toEqual(['first', 'second'])
  steer({ control: 5, publishes: true })
  expect(await published()).toBe(2)
  await stop()
  await log.close()
})

test('a task that is to stand still at a time others have come to gives for all to see what is due by then, and what comes too late since is told of', async () => {
  const counting = defineJob('counting', (builder) => {
    builder
      .from(topic('in', { value: z.object({ n: z.number() }), eventTime: ({ n }) => n }))
      .keyBy('all', () => 'all')
      .window('pairs', tumbling('2ms'))
      .aggregate({ n: count() })
      .to(topic('out', { value: z.object({ n: z.number() }) }))
  })
  const { version, log, steer, send, published, stop } = await steeredVersion({ control: 1, publishes: true }, counting)
  void version.run('stopped')
  for (let n = 0; n < 5; n++) await send(n)
  expect(await published()).toBe(2)

  const level = { watermark: 6, processing: 0 }
  steer({ control: 2, publishes: true, hold: { id: 'h', level } })
  await send(5)
  expect(await published()).toBe(3)
  const last = (await readJournal(log, 'counting.v1.journal', 0)).slice(-2).map(({ record }) => record)
  expect(last.map(({ slice, watermark }) => [slice.level?.watermark, slice.hold, watermark])).toEqual([
    [6, undefined, 6],
    [undefined, 'h', 6],
  ])

  // 5 was in time by what its partition had seen, but its window is closed.
  steer({ control: 3, publishes: true })
  expect(await published()).toBe(3)
  const late = await recordsOf(log, 'counting.late')
  expect(late.map((record) => [String(record.value), headerOf(record, 'reprise.reason')])).toEqual([['{"n":5}', 'idle']])
  await stop()
  await log.close()
})

test('who is brought to the time others have come to goes no further, though the input that holds it back falls idle just then', async () => {
  const counting = defineJob('counting', (builder) => {
    builder
      .from(topic('in', { value: z.object({ n: z.number() }), eventTime: ({ n }) => n, idleAfter: '5s' }))
      .keyBy('all', () => 'all')
      .window('pairs', tumbling('2ms'))
      .aggregate({ n: count() })
      .to(topic('out', { value: z.object({ n: z.number() }) }))
  })
  const orders = { control: 1, publishes: true }
  const { version, log, clock, steer, send, published, stop } = await steeredVersion(orders, counting, { partitions: 2 })
  void version.run('stopped')
  const wait = async (ms: number) => {
    for (let turns = 0; turns < 30; turns++) await clock.yield()
    clock.advance(ms)
  }
  await send(0, { partition: 0, n: 3 })
  expect(await published()).toBe(0)
  await wait(4000)
  await send(1, { partition: 1, n: 100 })
  expect(await published()).toBe(0)
  await wait(1500)
  steer({ control: 2, publishes: true, hold: { id: 'h', level: { watermark: 6, processing: 0 } } })
  expect(await published()).toBe(1)
  const last = (await readJournal(log, 'counting.v1.journal', 0)).slice(-2).map(({ record }) => record)
  expect(last.map(({ slice, watermark }) => [slice.idle, slice.hold, watermark])).toEqual([
    [[0], undefined, 6],
    [[0], 'h', 6],
  ])
  await stop()
  await log.close()
})
