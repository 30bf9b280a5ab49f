import { expect, test } from 'vitest'
import { BlockView } from '../../../../engine/block/block-view.ts'
import { MemoryLog, type MemoryLogOptions } from '../../../../engine/log/memory/memory-log.ts'
import type { Clock } from '../../../../engine/ports/world.ts'
import { append, block, newEnd, numbers, record, streamTopic, values, valuesOf, Writer } from '../../../contract/log/records.ts'
import { realClock } from '../../../support/real-clock.ts'

const never = () => new Promise<void>(() => {})

async function memoryLog(options: Partial<MemoryLogOptions> = {}): Promise<MemoryLog> {
  const log = new MemoryLog({ clock: realClock, ...options })
  await streamTopic(log)
  return log
}

/** Lets everything run that can run by itself. */
const turns = () => new Promise((resolve) => setImmediate(resolve))

test('append times are whole and do not follow the wall clock back', async () => {
  const readings = [1000.9, 500, 1500.2, 1499]
  const clock: Clock = { ...realClock, now: () => readings.shift()! }
  const log = await memoryLog({ clock })
  const writer = await Writer.open(log)
  const times = [(await writer.send()).appendTime, log.clock(), (await writer.send()).appendTime, log.clock()]
  expect(times).toEqual([1000, 1000, 1500, 1500])
})

test('a time once told by the clock is the least that later records get', async () => {
  const readings = [2000, 1000]
  const log = await memoryLog({ clock: { ...realClock, now: () => readings.shift()! } })
  expect(log.clock()).toBe(2000)
  expect((await (await Writer.open(log)).send(append('orders', 0, record(0)))).appendTime).toBe(2000)
})

test('a commit takes effect when it is delivered and is answered when that is settled', async () => {
  const arrivals: (() => void)[] = []
  const answers: (() => void)[] = []
  const log = await memoryLog({
    deliver: () => new Promise((resolve) => arrivals.push(resolve)),
    settle: () => new Promise((resolve) => answers.push(resolve)),
  })
  const writer = await Writer.open(log)
  const answered: number[] = []
  for (const n of numbers(0, 2)) void writer.send(append('orders', 0, record(n))).then(() => answered.push(n))
  await turns()
  expect([log.bounds('orders', 0).end, arrivals.length]).toEqual([0, 1])
  arrivals[0]!()
  await turns()
  expect([log.bounds('orders', 0).end, arrivals.length, answers.length, answered]).toEqual([1, 2, 1, []])
  arrivals[1]!()
  await turns()
  answers[1]!()
  await turns()
  expect(answered).toEqual([1])
  answers[0]!()
  await turns()
  expect(answered).toEqual([1, 0])
})

test('a commit that is never delivered is lost, and so are those behind it; other producers go on', async () => {
  let lose = false
  const log = await memoryLog({ deliver: () => (lose ? never() : Promise.resolve()) })
  const [writer, other] = [await Writer.open(log), await Writer.open(log, 'other')]
  await writer.send(append('orders', 0, record(0)))
  lose = true
  void writer.send(append('orders', 0, record(98)))
  await turns()
  lose = false
  void writer.send(append('orders', 0, record(99)))
  await other.send(append('orders', 0, record(1)))
  await turns()
  expect(await valuesOf(log, 'orders')).toEqual(values(0, 2))
  expect((await log.producer('writer')).end.seq).toBe(1)
})

test('an answer that is never given leaves the commit in the end of the producer opened next', async () => {
  const log = await memoryLog({ settle: never })
  const writer = await Writer.open(log)
  void writer.send(append('orders', 0, record(0)))
  void writer.send(append('orders', 0, record(1)))
  await turns()
  expect((await log.producer('writer')).end).toEqual({ seq: 2, hash: 'hash-2' })
  expect(await valuesOf(log, 'orders')).toEqual(values(0, 2))
})

test('a commit still under way when the process restarts does not take place after it', async () => {
  const arrivals: (() => void)[] = []
  const log = await memoryLog({ deliver: () => new Promise((resolve) => arrivals.push(resolve)) })
  const late = (await Writer.open(log)).send(append('orders', 0, record(0)))
  await turns()
  const reopened = log.reopen()
  arrivals[0]!()
  await expect(late).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' })
  expect(reopened.bounds('orders', 0)).toEqual({ start: 0, end: 0 })
})

test('a process that stops before the effect of a commit leaves nothing of it, one that stops after it leaves all', async () => {
  for (const [point, end] of [
    ['memory-log.before-commit', 0],
    ['memory-log.after-commit', 1],
  ] as const) {
    const log = await memoryLog({
      probe: {
        at(reached) {
          if (reached === point) throw new Error(`stopped at ${point}`)
        },
      },
    })
    await expect((await Writer.open(log)).send(append('orders', 0, record(0)))).rejects.toThrow(point)
    const reopened = log.reopen({ clock: realClock })
    expect(reopened.bounds('orders', 0).end).toBe(end)
    expect(reopened.producerEnd('writer')!.seq).toBe(end)
  }
})

test('closing ends all waits and everything but looking', async () => {
  const log = await memoryLog()
  const writer = await Writer.open(log)
  const reader = log.reader('orders', 0, 0)
  const wait = log.changed(log.changes())
  await log.close()
  await wait
  await log.changed(log.changes())
  const unavailable = { code: 'LOG_UNAVAILABLE' }
  await expect(writer.send()).rejects.toMatchObject(unavailable)
  await expect(reader.read(1)).rejects.toMatchObject(unavailable)
  await expect(log.producer('writer')).rejects.toMatchObject(unavailable)
  await expect(log.createTopic({ name: 'a', partitions: 1, kind: 'stream' })).rejects.toMatchObject(unavailable)
  await expect(log.deleteTopic('orders')).rejects.toMatchObject(unavailable)
  await expect(log.trim('orders', 0, 0)).rejects.toMatchObject(unavailable)
})

test('pins end with the process', async () => {
  const log = await memoryLog()
  await (await Writer.open(log)).send(append('orders', 0, record(0)))
  log.pin('orders', 0, 0)
  await expect(log.trim('orders', 0, 1)).rejects.toMatchObject({ name: 'AssertionError' })
  await log.reopen().trim('orders', 0, 1)
})

test('a block that is not sound is an assertion, and nothing of its commit is seen', async () => {
  const log = await memoryLog()
  const writer = await Writer.open(log)
  const damaged = block(record(1))
  damaged[damaged.length - 9]! ^= 1
  const cut = block(record(1)).subarray(0, -8)
  const two = Buffer.concat([block(record(1)), block(record(1))])
  for (const bad of [damaged, cut, two, block()]) {
    const refused = writer.producer.commit({
      expect: newEnd,
      next: { seq: 1, hash: '' },
      appends: [append('orders', 0, record(0)), { topic: 'orders', partition: 0, block: bad }],
    })
    await expect(refused).rejects.toMatchObject({ name: 'AssertionError' })
  }
  expect(log.bounds('orders', 0).end).toBe(0)
  expect(log.producerEnd('writer')).toEqual(newEnd)
})

test('a released chunk holds no records any more, what the log keeps is as before', async () => {
  const log = await memoryLog()
  await (await Writer.open(log)).send(append('orders', 0, record(0)))
  const chunk = (await log.reader('orders', 0, 0).read(1))!
  const view = new BlockView(chunk, 0)
  expect(view.value(0)!.toString()).toBe('value-0')
  chunk.release()
  expect(new BlockView(chunk, 0).count).not.toBe(1)
  expect(await valuesOf(log, 'orders')).toEqual(['value-0'])
})

test('a reader that was closed is not read', async () => {
  const log = await memoryLog()
  const reader = log.reader('orders', 0, 0)
  await reader.close()
  await expect(reader.read(1)).rejects.toMatchObject({ name: 'AssertionError' })
})

test('only compacted topics are compacted', async () => {
  const log = await memoryLog()
  expect(() => log.compact('orders')).toThrow('not compacted')
})
