import { expect } from 'vitest'
import { BlockView, type Chunk } from '../../../engine/block/block-view.ts'
import type { LogTest } from './harness.ts'
import { append, block, numbers, readAll, record, records, streamTopic, values, Writer } from './records.ts'

export function readingContract(test: LogTest): void {
  test('reading may begin at any offset, also in the middle of a block', async (open) => {
    await streamTopic(open.log)
    const writer = await Writer.open(open.log)
    for (const [from, to] of [
      [0, 1],
      [1, 8],
      [8, 10],
      [10, 20],
    ] as const)
      await writer.send(append('orders', 0, ...records(from, to)))
    let { log } = open
    for (const restart of [false, true]) {
      if (restart) log = await open.reopen()
      for (const from of numbers(0, 21)) {
        for (const bytesMax of [1, 500, 1 << 20]) {
          const found = await readAll(log, 'orders', 0, from, bytesMax)
          expect(found.map((one) => one.offset)).toEqual(numbers(from, 20))
          expect(found.map((one) => Buffer.from(one.value!).toString())).toEqual(values(from, 20))
        }
      }
    }
  })

  test('one read gives at least one block, and no more bytes than asked for and one block', async ({ log }) => {
    await streamTopic(log)
    const writer = await Writer.open(log)
    for (const n of numbers(0, 40)) await writer.send(append('orders', 0, ...records(10 * n, 10 * n + 10)))
    const one = block(...records(390, 400)).length
    for (const bytesMax of [1, one, 3 * one + 8, 10 * one]) {
      const reader = log.reader('orders', 0, 0)
      const sizes: number[] = []
      for (let chunk = await reader.read(bytesMax); chunk !== null; chunk = await reader.read(bytesMax)) {
        const read = chunk
        expect(read.blocks.length).toBeGreaterThan(0)
        sizes.push(read.blocks.map((at) => new BlockView(read, at).length).reduce((a, b) => a + b))
        chunk.release()
      }
      expect(Math.max(...sizes)).toBeLessThanOrEqual(bytesMax + one)
      expect(reader.position).toBe(400)
    }
  })

  test('at the end of the log a reader gets null, and what comes later when it asks again', async ({ log }) => {
    await streamTopic(log)
    const writer = await Writer.open(log)
    const reader = log.reader('orders', 0, 0)
    for (const n of numbers(0, 5)) {
      expect(await reader.read(1000)).toBeNull()
      expect(await reader.read(1000)).toBeNull()
      expect(reader.position).toBe(3 * n)
      await writer.send(append('orders', 0, ...records(3 * n, 3 * n + 3)))
      const chunk = (await reader.read(1000))!
      const views = chunk.blocks.map((at) => new BlockView(chunk, at))
      expect([views[0]!.baseOffset, views.at(-1)!.endOffset, reader.position]).toEqual([3 * n, 3 * n + 3, 3 * n + 3])
    }
  })

  test('a reader that follows commits under way gets each record once, in order', async ({ log }) => {
    await streamTopic(log)
    const writer = await Writer.open(log)
    const all = Promise.all(numbers(0, 100).map((n) => writer.send(append('orders', 0, ...records(3 * n, 3 * n + 3)))))
    const reader = log.reader('orders', 0, 0)
    const found: string[] = []
    while (reader.position < 300) {
      const seen = log.changes()
      const chunk = await reader.read(700)
      if (chunk === null) await log.changed(seen)
      else found.push(...valuesIn(chunk))
    }
    await all
    expect(found).toEqual(values(0, 300))
  })

  test('readers of one partition do not disturb each other, and a chunk keeps its content until it is released', async ({ log }) => {
    await streamTopic(log)
    const writer = await Writer.open(log)
    for (const n of numbers(0, 20)) await writer.send(append('orders', 0, record(n)))
    const readers = [0, 5, 19, 20].map((from) => log.reader('orders', 0, from))
    const chunks = await Promise.all(readers.map((reader) => reader.read(1 << 20)))
    const others = await Promise.all([0, 3].map((from) => log.reader('orders', 0, from).read(1 << 20)))
    for (const other of others) other!.release()
    await writer.send(append('orders', 0, ...records(20, 30)))
    await log.trim('orders', 0, 20)
    await Promise.all(readers.slice(1).map((reader) => reader.close()))
    expect(valuesIn(chunks[0]!)).toEqual(values(0, 20))
    expect(valuesIn(chunks[1]!).slice(-15)).toEqual(values(5, 20))
    expect(valuesIn(chunks[2]!).at(-1)).toBe('value-19')
    expect(chunks[3]).toBeNull()
  })

  test('an offset beyond the end is OFFSET_OUT_OF_RANGE, never another offset', async ({ log }) => {
    await streamTopic(log)
    const details = { topic: 'orders', partition: 0, earliest: 0 }
    await expect(log.reader('orders', 0, 1).read(1000)).rejects.toMatchObject({
      code: 'OFFSET_OUT_OF_RANGE',
      details: { ...details, offset: 1, end: 0 },
    })
    await (await Writer.open(log)).send(append('orders', 0, record(0), record(1)))
    const reader = log.reader('orders', 0, 3)
    await expect(reader.read(1000)).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE', details: { ...details, offset: 3, end: 2 } })
    expect(reader.position).toBe(3)
    expect(await log.reader('orders', 0, 2).read(1000)).toBeNull()
    await expect(log.reader('orders', 0, -1).read(1000)).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' })
  })

  test('the counts and checksums of the blocks as they were appended stay with their records', async (open) => {
    await streamTopic(open.log)
    const writer = await Writer.open(open.log)
    const appended: { count: number; contentChecksum: number; appendTime: number }[] = []
    for (const n of numbers(0, 12)) {
      const one = append('orders', 0, ...records(20 * n, 21 * n + 1))
      const contentChecksum = Buffer.from(one.block).readUInt32LE(32)
      const { appendTime } = await writer.send(one)
      appended.push({ count: n + 1, contentChecksum, appendTime })
    }
    const originals = async (log: typeof open.log) => {
      const reader = log.reader('orders', 0, 0)
      const found: object[] = []
      for (let chunk = await reader.read(1000); chunk !== null; chunk = await reader.read(1000)) {
        const read = chunk
        found.push(...read.blocks.flatMap((at) => new BlockView(read, at).originals()))
      }
      return found
    }
    expect(await originals(open.log)).toEqual(appended)
    expect(await originals(await open.reopen())).toEqual(appended)
    await open.maintenance?.rewrite?.()
    expect(await originals(await open.reopen())).toEqual(appended)
  })
}

function valuesIn(chunk: Chunk): string[] {
  return chunk.blocks.flatMap((at) => {
    const view = new BlockView(chunk, at)
    return numbers(0, view.count).map((i) => view.value(i)!.toString())
  })
}
