import { expect } from 'vitest'
import type { LogRecord } from '../../../engine/model/record.ts'
import type { Log, TopicSpec } from '../../../engine/ports/log.ts'
import type { ContractLog, LogTest } from './harness.ts'
import { append, block, numbers, plain, readAll, record, records, streamTopic, values, valuesOf, Writer } from './records.ts'

/** Trim and pins; retention and compaction where the adapter offers them. */
export function removalContract(test: LogTest): void {
  test('trimming makes everything below an offset unreadable, also within a block, and nothing else', async (open) => {
    await streamTopic(open.log, 'orders', 2)
    const writer = await Writer.open(open.log)
    for (const n of numbers(0, 4)) await writer.send(append('orders', 0, ...records(5 * n, 5 * n + 5)), append('orders', 1, record(n)))
    for (const before of [0, 1, 7, 10, 19]) {
      await open.log.trim('orders', 0, before)
      expect(open.log.bounds('orders', 0)).toEqual({ start: before, end: 20 })
      expect(await valuesOf(open.log, 'orders', 0, before)).toEqual(values(before, 20))
      for (const offset of numbers(0, before)) await outOfRange(open.log, offset, before, 20)
    }
    await open.log.trim('orders', 0, 3)
    expect(open.log.bounds('orders', 0).start).toBe(19)
    const log = await open.reopen()
    expect(log.bounds('orders', 0)).toEqual({ start: 19, end: 20 })
    await outOfRange(log, 18, 19, 20)
    expect(await valuesOf(log, 'orders', 0, 19)).toEqual(values(19, 20))
    expect(await valuesOf(log, 'orders', 1)).toEqual(values(0, 4))
  })

  test('a partition trimmed to its end goes on from there', async (open) => {
    await streamTopic(open.log)
    await (await Writer.open(open.log)).send(append('orders', 0, ...records(0, 5)))
    await open.log.trim('orders', 0, 5)
    expect(open.log.bounds('orders', 0)).toEqual({ start: 5, end: 5 })
    expect(await readAll(open.log, 'orders', 0, 5)).toEqual([])
    const log = await open.reopen()
    expect(log.bounds('orders', 0)).toEqual({ start: 5, end: 5 })
    expect((await (await Writer.open(log)).send(append('orders', 0, record(5)))).baseOffsets).toEqual([5])
    expect(await valuesOf(log, 'orders', 0, 5)).toEqual(values(5, 6))
  })

  test('trimming beyond the end is OFFSET_OUT_OF_RANGE', async ({ log }) => {
    await streamTopic(log)
    await (await Writer.open(log)).send(append('orders', 0, record(0)))
    await expect((async () => log.trim('orders', 0, 2))()).rejects.toMatchObject({
      code: 'OFFSET_OUT_OF_RANGE',
      details: { offset: 2, earliest: 0, end: 1 },
    })
    expect(log.bounds('orders', 0)).toEqual({ start: 0, end: 1 })
  })

  test('a reader whose position was trimmed away is told', async ({ log }) => {
    await streamTopic(log)
    const writer = await Writer.open(log)
    for (const n of numbers(0, 4)) await writer.send(append('orders', 0, record(n)))
    const reader = log.reader('orders', 0, 0)
    await reader.read(1)
    await log.trim('orders', 0, 3)
    await expect(reader.read(1)).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE', details: { offset: 1, earliest: 3, end: 4 } })
  })

  test('trimming above the lowest pin is an assertion, up to it is not', async ({ log }) => {
    await streamTopic(log, 'orders', 2)
    await (await Writer.open(log)).send(append('orders', 0, ...records(0, 9)), append('orders', 1, ...records(0, 9)))
    const low = log.pin('orders', 0, 2)
    const high = log.pin('orders', 0, 6)
    const refused = async (before: number) => {
      await expect((async () => log.trim('orders', 0, before))()).rejects.toMatchObject({ name: 'AssertionError' })
    }
    await refused(3)
    await log.trim('orders', 0, 2)
    await log.trim('orders', 1, 9)
    low.move(4)
    await refused(5)
    await log.trim('orders', 0, 4)
    low.release()
    low.release()
    await refused(7)
    await log.trim('orders', 0, 6)
    high.release()
    await log.trim('orders', 0, 9)
    expect(log.bounds('orders', 0).start).toBe(9)
  })

  test('a pin of a topic that is gone can be moved and released', async ({ log }) => {
    await streamTopic(log, 'orders', 1)
    const pin = log.pin('orders', 0, 0)
    await log.deleteTopic('orders')
    pin.move(4)
    pin.release()
    pin.move(5)
    pin.release()
    await streamTopic(log, 'parcels', 1)
    expect(log.topics().map(({ name }) => name)).toEqual(['parcels'])
  })
}

/** For adapters that do their own retention and compaction. */
export function maintenanceContract(test: LogTest): void {
  test('blocks older than the retention time go, the others stay', async (open) => {
    const { log } = await filled(open, { retentionMs: 1000 })
    const last = (await readAll(log, 'orders')).at(-1)!.appendTime
    await open.maintenance!.retain(last + 1000)
    expect((await readAll(log, 'orders', 0, log.bounds('orders', 0).start)).at(-1)!.offset).toBe(19)
    await open.maintenance!.retain(last + 1001)
    expect(log.bounds('orders', 0)).toEqual({ start: 20, end: 20 })
    await outOfRange(log, 0, 20, 20)
    const reopened = await open.reopen()
    expect(reopened.bounds('orders', 0)).toEqual({ start: 20, end: 20 })
    expect((await (await Writer.open(reopened)).send(append('orders', 0, record(20)))).baseOffsets).toEqual([20])
  })

  test('a retention that is set later is in force, below every pin, and one that is taken back no more', async (open) => {
    const { log } = await filled(open, {})
    const far = log.clock() + 1e9
    await open.maintenance!.retain(far)
    expect(log.bounds('orders', 0).start).toBe(0)
    await log.setTopic('orders', { retentionMs: 1 })
    await log.setTopic('orders', { retentionMs: null })
    await open.maintenance!.retain(far)
    expect(log.bounds('orders', 0).start).toBe(0)
    await log.setTopic('orders', { retentionMs: 1 })
    const pin = log.pin('orders', 0, 7)
    await open.maintenance!.retain(far)
    expect(log.bounds('orders', 0).start).toBeLessThanOrEqual(7)
    expect(await valuesOf(log, 'orders', 0, 7)).toEqual(values(7, 20))
    pin.release()
    await open.maintenance!.retain(far)
    expect(log.bounds('orders', 0)).toEqual({ start: 20, end: 20 })
  })

  test('the oldest blocks go until a partition is within its bytes', async (open) => {
    const bytes = block(...records(10, 15)).length
    const { log } = await filled(open, { retentionBytes: 2 * bytes + 100 })
    await open.maintenance!.retain(0)
    const { start } = log.bounds('orders', 0)
    expect(start).toBe(10)
    await outOfRange(log, 9, 10, 20)
    expect(await valuesOf(log, 'orders', 0, start)).toEqual(values(10, 20))
  })

  test('retention removes nothing that is pinned, and nothing of topics without it', async (open) => {
    const { log } = await filled(open, { retentionMs: 1, retentionBytes: 1 })
    await streamTopic(log, 'for-ever')
    await (await Writer.open(log, 'other')).send(append('for-ever', 0, record(0)))
    const pin = log.pin('orders', 0, 7)
    await open.maintenance!.retain(log.clock() + 1e9)
    const { start } = log.bounds('orders', 0)
    expect(start).toBeGreaterThanOrEqual(5)
    expect(await valuesOf(log, 'orders', 0, 7)).toEqual(values(7, 20))
    pin.release()
    await open.maintenance!.retain(log.clock() + 1e9)
    expect(log.bounds('orders', 0).start).toBe(20)
    expect(log.bounds('for-ever', 0)).toEqual({ start: 0, end: 1 })
  })

  const table: Partial<TopicSpec> = { kind: 'table', compacted: true }
  const keys = ['a', 'b', 'a', 'c', 'c', 'b', 'a', 'd', 'a', 'b']
  // The last c, d, a and b.
  const lasts = [4, 7, 8, 9]

  test('compaction keeps the last record of each key as it was, and readers move past the rest', async (open) => {
    const { log, written } = await filled(open, table, keys)
    await open.maintenance!.compact('orders')
    let opened = log
    for (const restart of [false, true]) {
      if (restart) opened = await open.reopen()
      expect(opened.bounds('orders', 0)).toEqual({ start: 0, end: 10 })
      for (const from of numbers(0, 11)) {
        const found = await readAll(opened, 'orders', 0, from, 1)
        expect(found.map((one) => one.offset)).toEqual(lasts.filter((offset) => offset >= from))
        for (const one of found) expect(seen(one)).toEqual(seen(written[one.offset]!))
      }
    }
  })

  test('compaction keeps records without a key and the last tombstone of a key', async (open) => {
    const { log } = open
    await log.createTopic({ name: 'orders', partitions: 1, kind: 'table', compacted: true })
    const writer = await Writer.open(log)
    const gone = { ...record(2, 'a'), value: null }
    await writer.send(append('orders', 0, { ...record(0), key: null }, record(1, 'a'), gone, { ...record(3), key: null }, record(4, '')))
    await open.maintenance!.compact('orders')
    const found = await readAll(log, 'orders')
    expect(found.map((one) => [one.offset, one.key && Buffer.from(one.key).toString(), one.value === null])).toEqual([
      [0, null, false],
      [2, 'a', true],
      [3, null, false],
      [4, '', false],
    ])
  })

  test('compaction leaves everything from a pin on', async (open) => {
    const { log } = await filled(open, table, keys)
    const pin = log.pin('orders', 0, 5)
    await open.maintenance!.compact('orders')
    expect((await readAll(log, 'orders')).map((one) => one.offset)).toEqual([4, 5, 6, 7, 8, 9])
    pin.release()
    await open.maintenance!.compact('orders')
    expect((await readAll(log, 'orders')).map((one) => one.offset)).toEqual(lasts)
  })

  test('a compacted topic takes more records and can be compacted again', async (open) => {
    const { log, writer } = await filled(open, table, keys)
    const reader = log.reader('orders', 0, 10)
    await open.maintenance!.compact('orders')
    await writer.send(append('orders', 0, record(10, 'd'), record(11, 'a')))
    expect(await reader.read(1 << 20)).not.toBeNull()
    await open.maintenance!.compact('orders')
    expect((await readAll(log, 'orders')).map((one) => one.offset)).toEqual([4, 9, 10, 11])
  })
}

/** Twenty records in blocks of five, or one for each key in blocks of three. */
async function filled({ log }: ContractLog, settings: Partial<TopicSpec>, keys?: readonly string[]) {
  await log.createTopic({ name: 'orders', partitions: 1, kind: 'stream', ...settings })
  const writer = await Writer.open(log)
  const content = keys?.map((key, n) => record(n, key)) ?? records(10, 30).map((one, n) => ({ ...one, value: Buffer.from(`value-${n}`) }))
  const size = keys === undefined ? 5 : 3
  for (let from = 0; from < content.length; from += size) await writer.send(append('orders', 0, ...content.slice(from, from + size)))
  return { log, writer, written: await readAll(log, 'orders') }
}

function seen(one: LogRecord) {
  return { ...plain(one), offset: one.offset, appendTime: one.appendTime }
}

async function outOfRange(log: Log, offset: number, earliest: number, end: number): Promise<void> {
  const details = { topic: 'orders', partition: 0, offset, earliest, end }
  await expect(log.reader('orders', 0, offset).read(1000)).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE', details })
}
