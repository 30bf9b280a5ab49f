import { describe, expect, test } from 'vitest'
import { BlockView } from '../../../../engine/block/block-view.ts'
import type { EmbeddedLog } from '../../../../engine/log/embedded/embedded-log.ts'
import { verifyLog } from '../../../../engine/log/embedded/verify-log.ts'
import type { ReadFile } from '../../../../engine/ports/file-system.ts'
import {
  append,
  block,
  largeBlock,
  numbers,
  record,
  records,
  streamTopic,
  values,
  valuesOf,
  Writer,
} from '../../../contract/log/records.ts'
import { SimDisk } from '../../../support/sim-fs.ts'
import { logsOn, segmentsOn, settled, world } from './log-world.ts'

describe('rewriting', () => {
  test('waits while commits come, up to a quarter of what may wait, and for nothing when asked for', async () => {
    const { log, disk, clock } = await world({ logFileBytes: 3000, rewriteBacklogBytesMax: 40_000 })
    await streamTopic(log)
    const writer = await Writer.open(log)
    const send = async (from: number, to: number) => {
      for (const n of numbers(from, to)) {
        await writer.send(append('orders', 0, record(n)))
        clock.advance(10)
      }
    }
    await send(0, 20)
    await settled()
    expect(logsOn(disk).length).toBeGreaterThan(1)
    expect(segmentsOn(disk)).toEqual([])
    clock.advance(100)
    await settled()
    expect(logsOn(disk).length).toBe(1)
    await send(20, 120)
    await settled()
    const waiting = logsOn(disk).reduce((sum, name) => sum + disk.content(name).length, 0)
    expect(waiting).toBeGreaterThan(7000)
    expect(waiting).toBeLessThan(10_000 + 2 * 4000)
    await log.rewrite()
    expect(logsOn(disk).length).toBe(1)
    expect(await valuesOf(log, 'orders')).toEqual(values(0, 120))
  })

  test('gives each partition with much in it a file of its own, and one to all others; small blocks are joined', async () => {
    const { log, disk } = await world({ ownSegmentBytesMin: 20_000, joinedBlockBytes: 10_000 })
    await streamTopic(log, 'orders', 4)
    const writer = await Writer.open(log)
    for (const n of numbers(0, 100))
      await writer.send(append('orders', 0, ...records(10 * n, 10 * n + 10)), append('orders', 1 + (n % 3), record(n)))
    await log.rewrite()
    expect(segmentsOn(disk).length).toBe(2)
    const reader = log.reader('orders', 0, 0)
    const chunk = (await reader.read(1 << 20))!
    expect(chunk.blocks.length).toBeLessThan(6)
    expect(await valuesOf(log, 'orders', 0)).toEqual(values(0, 1000))
  })

  test('large blocks stay in their log file, the small ones beside them are moved; it goes when half of it is not wanted any more', async () => {
    const { log, disk, fs } = await world({ joinedBlockBytes: 1000 })
    await streamTopic(log, 'orders', 3)
    const writer = await Writer.open(log)
    for (let n = 0; n < 4; n++) {
      const large = [0, 1].map((partition) => ({ topic: 'orders', partition, block: largeBlock(900 + n) }))
      await writer.send(...large, append('orders', 2, record(n)))
    }
    const [first] = logsOn(disk)
    const written = disk.content(first!)
    await log.rewrite()
    expect(logsOn(disk)).toHaveLength(2)
    // Room made ahead is given back when a file is closed.
    const kept = disk.content(first!)
    expect(kept.equals(written.subarray(0, kept.length))).toBe(true)
    expect(kept.length).toBeGreaterThan(7000)
    const segments = segmentsOn(disk)
    expect(segments.map((name) => disk.content(name).length < 1000)).toEqual([true, true])

    const lengths = async (log: EmbeddedLog, partition: number) => (await valuesOf(log, 'orders', partition)).map(({ length }) => length)
    expect(await lengths(log, 0)).toEqual([900, 901, 902, 903])
    expect(await lengths(log, 1)).toEqual([900, 901, 902, 903])
    expect(await valuesOf(log, 'orders', 2)).toEqual(values(0, 4))
    const copied = new SimDisk(2)
    await log.backup(copied.mount())
    await log.close()
    for (const storage of [disk, copied]) {
      const again = await world({ joinedBlockBytes: 1000 }, { disk: storage })
      expect(await lengths(again.log, 1)).toEqual([900, 901, 902, 903])
      await again.log.close()
    }
    expect(await verifyLog(fs)).toMatchObject({ faults: [], unlisted: [] })

    const { log: last } = await world({ joinedBlockBytes: 1000 }, { disk })
    await last.trim('orders', 0, 3)
    await last.rewrite()
    expect(disk.list()).toContain(first)
    await last.trim('orders', 0, 4)
    await last.rewrite()
    expect(disk.list()).not.toContain(first)
    expect(await lengths(last, 1)).toEqual([900, 901, 902, 903])
    await last.deleteTopic('orders')
    await last.rewrite()
    expect(segmentsOn(disk)).toEqual([])
  })

  test('a missing index, and a missing log file that one is about, are each called by their names', async () => {
    for (const missing of [segmentsOn, (disk: SimDisk) => logsOn(disk).slice(0, 1)]) {
      const { log, disk, fs } = await world({ joinedBlockBytes: 1000 })
      await streamTopic(log, 'orders')
      const writer = await Writer.open(log)
      for (let n = 0; n < 4; n++) await writer.send({ topic: 'orders', partition: 0, block: largeBlock(900) })
      await log.rewrite()
      const [file] = missing(disk)
      await fs.remove(file!)
      await expect(valuesOf(log, 'orders')).rejects.toMatchObject({ code: 'LOG_CORRUPT', details: { file, reason: 'the file is missing' } })
      await log.close()
      await expect(world({}, { disk })).rejects.toMatchObject({ code: 'LOG_CORRUPT', details: { file } })
    }
  })

  test('segments that are many and small are merged; deleted topics and what was trimmed take no space', async () => {
    const { log, disk } = await world({ ownSegmentBytesMin: 2000, mixedSegmentsMax: 3, joinedBlockBytes: 1000 })
    await streamTopic(log, 'orders', 3)
    await streamTopic(log, 'gone')
    const writer = await Writer.open(log)
    for (const round of numbers(0, 30)) {
      await writer.send(
        append('orders', 0, ...records(60 * round, 60 * round + 60)),
        append('orders', 1, record(round)),
        append('orders', 2, record(round)),
        append('gone', 0, record(round)),
      )
      await log.rewrite()
    }
    expect(segmentsOn(disk).length).toBeLessThan(20)
    expect(await valuesOf(log, 'orders', 0)).toEqual(values(0, 1800))
    for (const partition of [1, 2]) expect(await valuesOf(log, 'orders', partition)).toEqual(values(0, 30))
    await log.deleteTopic('gone')
    await log.trim('orders', 0, 1800)
    await log.trim('orders', 1, 30)
    await log.trim('orders', 2, 29)
    for (const _ of [0, 1, 2]) {
      await writer.send(append('orders', 1, record(1)), append('orders', 2, record(1)))
      await log.rewrite()
    }
    const bytes = segmentsOn(disk).reduce((sum, name) => sum + disk.content(name).length, 0)
    expect(bytes).toBeLessThan(3000)
  })

  test('a segment that the disk did not take as it was written is not put in place of the log', async () => {
    const disk = new SimDisk(1)
    const fs = disk.mount()
    const create = fs.create.bind(fs)
    fs.create = async (name, options) => {
      const file = await create(name, options)
      const write = file.write.bind(file)
      file.write = async (bytes, position) => {
        const copy = Buffer.from(bytes)
        if (name.endsWith('.segment') && position > 0) copy[copy.length - 9]! ^= 1
        await write(copy, position)
      }
      return file
    }
    const { log } = await world({}, { disk, fs })
    await streamTopic(log)
    await (await Writer.open(log)).send(append('orders', 0, ...records(0, 20)))
    await expect(log.rewrite()).rejects.toMatchObject({ code: 'LOG_CORRUPT', details: { file: expect.stringMatching(/segment$/) } })
    expect(segmentsOn(disk)).toEqual([])
    expect(await valuesOf(log, 'orders')).toEqual(values(0, 20))
    await log.close()
    expect(await valuesOf((await world({}, { disk })).log, 'orders')).toEqual(values(0, 20))
  })

  test('a reader that is in the middle goes on in the new files', async () => {
    const { log } = await world({ joinedBlockBytes: 1000 })
    await streamTopic(log)
    const writer = await Writer.open(log)
    const reader = log.reader('orders', 0, 0)
    const found: string[] = []
    for (const n of numbers(0, 40)) {
      await writer.send(append('orders', 0, ...records(3 * n, 3 * n + 3)))
      if (n % 5 === 0) await log.rewrite()
      const from = reader.position
      const chunk = await reader.read(100)
      if (chunk === null) continue
      for (const at of chunk.blocks) {
        const view = new BlockView(chunk, at)
        for (let i = 0; i < view.count; i++) if (view.baseOffset + i >= from) found.push(view.value(i)!.toString())
      }
      chunk.release()
    }
    expect(found).toEqual(values(0, reader.position))
    expect(reader.position).toBeGreaterThan(50)
  })

  test('a reader of one partition does not read the bytes of another that has much', async () => {
    const disk = new SimDisk(1)
    const fs = disk.mount()
    let read = 0
    const open = fs.open.bind(fs)
    fs.open = async (name): Promise<ReadFile> => {
      const file = await open(name)
      const readFile = file.read.bind(file)
      file.read = async (into, position) => {
        const bytes = await readFile(into, position)
        read += bytes
        return bytes
      }
      return file
    }
    const { log } = await world({}, { disk, fs })
    await streamTopic(log, 'orders', 2)
    const writer = await Writer.open(log)
    for (const n of numbers(0, 20))
      await writer.send({ topic: 'orders', partition: 0, block: largeBlock(50_000) }, append('orders', 1, record(n)))
    read = 0
    expect(await valuesOf(log, 'orders', 1)).toEqual(values(0, 20))
    expect(read).toBe(20 * block(record(10)).length)
  })
})
