import { expect } from 'vitest'
import type { NewRecord } from '../../../engine/model/record.ts'
import type { LogTest } from './harness.ts'
import { append, largeBlock, newEnd, numbers, plain, readAll, record, records, streamTopic, values, valuesOf, Writer } from './records.ts'

const megabyte = 1 << 20

export function commitContract(test: LogTest): void {
  test('records come back as they were appended, in order, with offset and append time', async ({ log }) => {
    const odd: NewRecord[] = [
      { key: null, value: Buffer.from('no key'), eventTime: 0 },
      { key: Buffer.alloc(0), value: Buffer.alloc(0), eventTime: -1 },
      { key: Buffer.from('deleted'), value: null, eventTime: 0.5 },
      { key: null, value: null, eventTime: 8.64e15 },
      {
        key: Buffer.from([0, 255, 128]),
        value: Buffer.from('hé\0'),
        eventTime: 1,
        headers: [
          { name: 'trace', value: Buffer.from([1, 2]) },
          { name: 'trace', value: Buffer.alloc(0) },
          { name: 'ünï', value: Buffer.from('x') },
          { name: '', value: Buffer.from('empty name') },
        ],
      },
      { key: Buffer.from('after headers'), value: Buffer.from('v'), eventTime: 2, headers: [] },
    ]
    const writer = await Writer.open(log)
    await writer.send(append(await streamTopic(log), 0, record(1)))
    const { appendTime, baseOffsets } = await writer.send(append('orders', 0, ...odd))
    expect(baseOffsets).toEqual([1])
    const found = (await readAll(log, 'orders')).slice(1)
    expect(found.map(plain)).toEqual(odd.map(plain))
    expect(found.map((one) => one.offset)).toEqual(numbers(1, 7))
    expect(found.map((one) => one.appendTime)).toEqual(odd.map(() => appendTime))
  })

  test('offsets of a partition have no gaps, whoever writes', async ({ log }) => {
    await streamTopic(log, 'orders', 2)
    const writers = await Promise.all(['a', 'b', 'c'].map((id) => Writer.open(log, id)))
    const written = [0, 0]
    for (const n of numbers(0, 12)) {
      const { baseOffsets } = await writers[n % 3]!.send(append('orders', 0, ...records(0, n + 1)), append('orders', 1, record(n)))
      expect(baseOffsets).toEqual(written)
      written[0]! += n + 1
      written[1]! += 1
    }
    expect((await readAll(log, 'orders')).map((one) => one.offset)).toEqual(numbers(0, 78))
    expect(log.bounds('orders', 1)).toEqual({ start: 0, end: 12 })
  })

  test('several appends of one commit to one partition stand in their order', async ({ log }) => {
    const writer = await Writer.open(log)
    const { baseOffsets } = await writer.send(append(await streamTopic(log), 0, ...records(0, 3)), append('orders', 0, ...records(3, 5)))
    expect(baseOffsets).toEqual([0, 3])
    expect(await valuesOf(log, 'orders')).toEqual(values(0, 5))
  })

  test('a commit to several topics and partitions is seen whole or not at all', async ({ log }) => {
    const places = [
      ['a', 0],
      ['a', 1],
      ['b', 0],
    ] as const
    await streamTopic(log, 'a', 2)
    await streamTopic(log, 'b')
    const writer = await Writer.open(log)
    const done = new AbortController()
    let looks = 0
    const watch = (async () => {
      while (!done.signal.aborted) {
        const seen = log.changes()
        expect(new Set(places.map(([topic, partition]) => log.bounds(topic, partition).end)).size).toBe(1)
        looks++
        await log.changed(seen, done.signal)
      }
    })()
    for (const n of numbers(0, 30)) await writer.send(...places.map(([topic, partition]) => append(topic, partition, record(n))))
    done.abort()
    await watch
    expect(looks).toBeGreaterThan(5)
    for (const [topic, partition] of places) expect(await valuesOf(log, topic, partition)).toEqual(values(0, 30))
  })

  test('of a refused commit nothing is seen, whichever append it was refused for', async ({ log }) => {
    await streamTopic(log)
    const writer = await Writer.open(log)
    await expect(writer.send(append('orders', 0, record(1)), append('nowhere', 0, record(2)))).rejects.toMatchObject({
      code: 'TOPIC_UNKNOWN',
    })
    await expect(
      writer.producer.commit({
        expect: newEnd,
        next: { seq: 1, hash: 'x' },
        appends: [append('orders', 1, record(1)), append('orders', 0, record(2))],
      }),
    ).rejects.toMatchObject({ code: 'TOPIC_UNKNOWN' })
    expect(await readAll(log, 'orders')).toEqual([])
    expect(log.producerEnd('writer')).toEqual(newEnd)
  })

  test('a commit without appends moves only the end of its producer', async ({ log }) => {
    await streamTopic(log)
    const writer = await Writer.open(log)
    expect((await writer.send()).baseOffsets).toEqual([])
    expect(log.producerEnd('writer')).toEqual({ seq: 1, hash: 'hash-1' })
    expect(log.bounds('orders', 0)).toEqual({ start: 0, end: 0 })
  })

  test('a commit of 30 MB is taken, one above 32 MB is refused and the producer goes on', async ({ log }) => {
    await streamTopic(log, 'orders', 2)
    const writer = await Writer.open(log)
    const half = { topic: 'orders', partition: 0, block: largeBlock(15 * megabyte) }
    await writer.send(half, { topic: 'orders', partition: 1, block: largeBlock(15 * megabyte) })
    const { end } = writer
    const tooLarge = [0, 1].map((partition) => ({ topic: 'orders', partition, block: largeBlock(17 * megabyte) }))
    await expect(writer.send(...tooLarge)).rejects.toMatchObject({ code: 'COMMIT_TOO_LARGE' })
    expect(log.producerEnd('writer')).toEqual(end)
    writer.end = end
    await writer.send(append('orders', 0, record(1)))
    const found = await readAll(log, 'orders')
    expect(found.map((one) => one.value!.length)).toEqual([15 * megabyte, 7])
    expect(Buffer.alloc(15 * megabyte, 7).equals(found[0]!.value!)).toBe(true)
    expect(log.bounds('orders', 1).end).toBe(1)
  })

  test('what was committed survives a restart', async (open) => {
    await streamTopic(open.log, 'orders', 2)
    const writer = await Writer.open(open.log)
    for (const n of numbers(0, 10)) await writer.send(append('orders', n % 2, record(n)))
    const before = [await readAll(open.log, 'orders', 0), await readAll(open.log, 'orders', 1)]
    const log = await open.reopen()
    expect([await readAll(log, 'orders', 0), await readAll(log, 'orders', 1)]).toEqual(before)
    const { baseOffsets } = await (await Writer.open(log)).send(append('orders', 0, record(10)))
    expect(baseOffsets).toEqual([5])
    expect((await open.reopen()).bounds('orders', 0)).toEqual({ start: 0, end: 6 })
  })
}
