import { expect } from 'vitest'
import { codeOf } from '../../../engine/errors.ts'
import type { LogTest } from './harness.ts'
import { after, append, largeBlock, newEnd, numbers, record, streamTopic, values, valuesOf, Writer } from './records.ts'

export function producerContract(test: LogTest): void {
  test('a new producer begins at seq 0 with an empty hash', async ({ log }) => {
    expect(log.producerEnd('new')).toBeUndefined()
    const producer = await log.producer('new')
    expect(producer.id).toBe('new')
    expect(producer.end).toEqual(newEnd)
  })

  test('a producer opened again begins at the end of its last commit', async ({ log }) => {
    await streamTopic(log)
    const writer = await Writer.open(log)
    for (const n of numbers(0, 3)) await writer.send(append('orders', 0, record(n)))
    expect(log.producerEnd('writer')).toEqual({ seq: 3, hash: 'hash-3' })
    const again = await log.producer('writer')
    expect(again.end).toEqual({ seq: 3, hash: 'hash-3' })
    expect(again.epoch).toBeGreaterThan(writer.producer.epoch)
  })

  test('asking for the end of a producer does not fence it', async ({ log }) => {
    const writer = await Writer.open(log)
    await writer.send()
    expect(log.producerEnd('writer')).toEqual(writer.end)
    await writer.send()
    expect(log.producerEnd('writer')).toEqual({ seq: 2, hash: 'hash-2' })
  })

  test('opening a producer fences all older holders of its name, and no others', async ({ log }) => {
    await streamTopic(log)
    const oldest = await Writer.open(log)
    const older = await Writer.open(log)
    const other = await Writer.open(log, 'writer-2')
    const newest = await Writer.open(log)
    for (const fenced of [oldest, older]) {
      await expect(fenced.send(append('orders', 0, record(99)))).rejects.toMatchObject({ code: 'COMMIT_FENCED' })
    }
    await newest.send(append('orders', 0, record(0)))
    await other.send(append('orders', 0, record(1)))
    await expect(older.producer.commit({ expect: newest.end, next: after(newest.end), appends: [] })).rejects.toMatchObject({
      code: 'COMMIT_FENCED',
    })
    expect(await valuesOf(log, 'orders')).toEqual(values(0, 2))
    expect(log.producerEnd('writer')).toEqual(newest.end)
  })

  test('a commit under way when its producer is opened anew either is in the new end or never takes place', async ({ log }) => {
    await streamTopic(log)
    for (const n of numbers(0, 20)) {
      const writer = await Writer.open(log)
      const before = writer.end
      const first = writer.send(append('orders', 0, record(n))).then(() => 'taken', codeOf)
      const second = writer.send(append('orders', 0, record(n))).then(() => 'taken', codeOf)
      const { end } = await log.producer('writer')
      const outcomes = [await first, await second]
      const taken = end.seq - before.seq
      expect(outcomes).toEqual(['taken', 'taken', 'COMMIT_FENCED', 'COMMIT_FENCED'].slice(2 - taken, 4 - taken))
      expect(log.producerEnd('writer')).toEqual(end)
      expect(log.bounds('orders', 0).end).toBe(end.seq)
    }
  })

  test('a commit that does not build on the end is refused and the one that does is taken', async ({ log }) => {
    await streamTopic(log)
    const writer = await Writer.open(log)
    await writer.send(append('orders', 0, record(0)))
    const { end } = writer
    for (const expected of [newEnd, { ...end, hash: 'other' }, { ...end, hash: '' }, { ...end, seq: 2 }, { ...end, seq: 0 }]) {
      const refused = writer.producer.commit({ expect: expected, next: after(expected), appends: [append('orders', 0, record(99))] })
      await expect(refused).rejects.toMatchObject({ code: 'COMMIT_CONFLICT' })
      expect(log.producerEnd('writer')).toEqual(end)
    }
    await writer.send(append('orders', 0, record(1)))
    expect(await valuesOf(log, 'orders')).toEqual(values(0, 2))
  })

  test('the same commit sent twice is taken once', async ({ log }) => {
    await streamTopic(log)
    const { producer } = await Writer.open(log)
    const send = () => producer.commit({ expect: newEnd, next: after(newEnd), appends: [append('orders', 0, record(0))] })
    const both = await Promise.allSettled([send(), send()])
    expect(both).toMatchObject([{ status: 'fulfilled' }, { status: 'rejected', reason: { code: 'COMMIT_CONFLICT' } }])
    await expect(send()).rejects.toMatchObject({ code: 'COMMIT_CONFLICT' })
    expect(await valuesOf(log, 'orders')).toEqual(values(0, 1))
  })

  test('commits sent without waiting take effect in the order sent', async ({ log }) => {
    await streamTopic(log, 'orders', 3)
    const writer = await Writer.open(log)
    const sent = numbers(0, 40).map((n) => writer.send(append('orders', n % 3, record(n))))
    const bases = (await Promise.all(sent)).map(({ baseOffsets }) => baseOffsets[0])
    expect(bases).toEqual(numbers(0, 40).map((n) => Math.floor(n / 3)))
    for (const partition of numbers(0, 3)) {
      expect(await valuesOf(log, 'orders', partition)).toEqual(values(0, 40).filter((_, n) => n % 3 === partition))
    }
    expect(log.producerEnd('writer')).toEqual({ seq: 40, hash: 'hash-40' })
  })

  test('a refused commit voids all that were sent behind it, and only those', async ({ log }) => {
    await streamTopic(log)
    for (const [code, append_] of [
      ['TOPIC_UNKNOWN', () => append('nowhere', 0, record(99))],
      ['COMMIT_TOO_LARGE', () => ({ topic: 'orders', partition: 0, block: largeBlock(33 << 20) })],
    ] as const) {
      const writer = await Writer.open(log)
      const start = log.bounds('orders', 0).end
      const sent = numbers(0, 6).map((n) => writer.send(n === 2 ? append_() : append('orders', 0, record(n))))
      const outcomes = (await Promise.allSettled(sent)).map((one) => (one.status === 'fulfilled' ? 'taken' : codeOf(one.reason)))
      expect(outcomes).toEqual(['taken', 'taken', code, 'COMMIT_CONFLICT', 'COMMIT_CONFLICT', 'COMMIT_CONFLICT'])
      expect(await valuesOf(log, 'orders', 0, start)).toEqual(values(0, 2))
      expect((await log.producer('writer')).end.seq).toBe(start + 2)
    }
  })

  test('commits of several producers under way together keep the order of each', async ({ log }) => {
    await streamTopic(log)
    const writers = await Promise.all(numbers(0, 4).map((id) => Writer.open(log, `writer-${id}`)))
    await Promise.all(numbers(0, 80).map((n) => writers[n % 4]!.send(append('orders', 0, record(n)))))
    const found = (await valuesOf(log, 'orders')).map((value) => Number(value.slice(6)))
    for (const id of numbers(0, 4)) expect(found.filter((n) => n % 4 === id)).toEqual(numbers(0, 80).filter((n) => n % 4 === id))
    expect(found.length).toBe(80)
  })

  test('the end of each producer survives a restart, and so does its being fenced', async (open) => {
    const ids = ['job/v1/task-0', 'größe', ' ', 'x'.repeat(500)]
    await streamTopic(open.log)
    const hash = 'f'.repeat(64)
    const epochs: number[] = []
    for (const [i, id] of ids.entries()) {
      const producer = await open.log.producer(id)
      await producer.commit({ expect: newEnd, next: { seq: 2 ** 40 + i, hash }, appends: [append('orders', 0, record(i))] })
      epochs.push(producer.epoch)
    }
    const opened = await open.log.producer('opened only')
    const log = await open.reopen()
    for (const [i, id] of ids.entries()) {
      expect(log.producerEnd(id)).toEqual({ seq: 2 ** 40 + i, hash })
      const producer = await log.producer(id)
      expect(producer.end).toEqual({ seq: 2 ** 40 + i, hash })
      expect(producer.epoch).toBeGreaterThan(epochs[i]!)
    }
    expect((await log.producer('opened only')).epoch).toBeGreaterThan(opened.epoch)
  })

  test('a holder from before a restart commits nothing after it', async (open) => {
    await streamTopic(open.log)
    const old = await Writer.open(open.log)
    await old.send(append('orders', 0, record(0)))
    const log = await open.reopen()
    await expect(old.send(append('orders', 0, record(99)))).rejects.toMatchObject({ name: 'StreamError' })
    expect(await valuesOf(log, 'orders')).toEqual(values(0, 1))
    await (await Writer.open(log)).send(append('orders', 0, record(1)))
    expect(await valuesOf(log, 'orders')).toEqual(values(0, 2))
  })

  test('names all producers that are there, and none that was forgotten, also after a restart', async ({ log, reopen }) => {
    expect(log.producers()).toEqual([])
    await log.producer('job/v1/task-0')
    const gone = await log.producer('größe')
    await log.producer('job/v1/task-0')
    expect([...log.producers()].sort()).toEqual(['größe', 'job/v1/task-0'].sort())
    await log.forgetProducer('größe', gone.epoch)
    expect(log.producers()).toEqual(['job/v1/task-0'])
    expect((await reopen()).producers()).toEqual(['job/v1/task-0'])
  })

  test('a producer that is forgotten begins anew, and nobody who held it commits any more', async ({ log, reopen }) => {
    await streamTopic(log)
    const older = await Writer.open(log)
    const writer = await Writer.open(log)
    const other = await Writer.open(log, 'writer-2')
    await writer.send(append('orders', 0, record(0)))
    await other.send(append('orders', 0, record(1)))
    await expect(log.forgetProducer('writer', older.producer.epoch)).rejects.toMatchObject({ code: 'COMMIT_FENCED' })
    expect(log.producerEnd('writer')).toEqual(writer.end)
    await log.forgetProducer('writer', writer.producer.epoch)
    expect(log.producerEnd('writer')).toBeUndefined()
    await expect(log.forgetProducer('writer', writer.producer.epoch)).rejects.toMatchObject({ code: 'COMMIT_FENCED' })
    const fenced = (expect_: typeof newEnd) => writer.producer.commit({ expect: expect_, next: after(expect_), appends: [] })
    await expect(fenced(writer.end)).rejects.toMatchObject({ code: 'COMMIT_FENCED' })
    const anew = await Writer.open(log)
    expect(anew.end).toEqual(newEnd)
    // The same name, and the end that it would build on; but another's.
    for (const held of [older, writer])
      await expect(held.producer.commit({ expect: newEnd, next: after(newEnd), appends: [] })).rejects.toMatchObject({
        code: 'COMMIT_FENCED',
      })
    await anew.send(append('orders', 0, record(2)))
    await log.forgetProducer('writer', anew.producer.epoch)
    const reopened = await reopen()
    expect(reopened.producerEnd('writer')).toBeUndefined()
    expect(reopened.producerEnd('writer-2')).toEqual(other.end)
    expect((await reopened.producer('writer')).end).toEqual(newEnd)
    expect(await valuesOf(reopened, 'orders')).toEqual(values(0, 3))
  })

  test('a commit that builds on other producers takes place only while they stand there', async ({ log }) => {
    await streamTopic(log)
    const writer = await Writer.open(log)
    const other = await Writer.open(log, 'other')
    await other.send(append('orders', 0, record(0)))
    const joint = (ends: readonly { producer: string; end: typeof newEnd }[], n: number) =>
      writer.producer.commit({
        expect: log.producerEnd('writer') ?? newEnd,
        others: ends,
        next: after(log.producerEnd('writer') ?? newEnd),
        appends: [append('orders', 0, record(n))],
      })
    await joint([{ producer: 'other', end: other.end }], 1)
    await joint([{ producer: 'nobody', end: newEnd }], 2)
    for (const end of [newEnd, { ...other.end, hash: 'another' }]) {
      await expect(joint([{ producer: 'other', end }], 99)).rejects.toMatchObject({ code: 'COMMIT_CONFLICT' })
    }
    await expect(joint([{ producer: 'nobody', end: other.end }], 99)).rejects.toMatchObject({ code: 'COMMIT_CONFLICT' })
    expect(await valuesOf(log, 'orders')).toEqual(values(0, 3))
  })
}
