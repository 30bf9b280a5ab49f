import { describe, expect, test } from 'vitest'
import { BlockView } from '../../../../engine/block/block-view.ts'
import { codeOf, StreamError } from '../../../../engine/errors.ts'
import { EmbeddedLog, type EmbeddedLogOptions } from '../../../../engine/log/embedded/embedded-log.ts'
import { parseFileName } from '../../../../engine/log/embedded/file-names.ts'
import type { EmbeddedLogSettings } from '../../../../engine/log/embedded/settings.ts'
import { verifyLog } from '../../../../engine/log/embedded/verify-log.ts'
import type { ReadFile } from '../../../../engine/ports/file-system.ts'
import { noMetrics } from '../../../../engine/ports/world.ts'
import {
  append,
  block,
  largeBlock,
  numbers,
  readAll,
  record,
  records,
  streamTopic,
  values,
  valuesOf,
  Writer,
} from '../../../contract/log/records.ts'
import { SimClock } from '../../../support/sim-clock.ts'
import { noSimFaults, SimDisk, type SimFs } from '../../../support/sim-fs.ts'

interface World {
  readonly disk: SimDisk
  readonly fs: SimFs
  readonly clock: SimClock
  readonly log: EmbeddedLog
}

async function world(
  settings: Partial<EmbeddedLogSettings> = {},
  more: Partial<EmbeddedLogOptions> & { disk?: SimDisk; fs?: SimFs } = {},
): Promise<World> {
  const disk = more.disk ?? new SimDisk(1)
  const fs = more.fs ?? disk.mount()
  const clock = new SimClock()
  const log = await EmbeddedLog.open({ fs, clock, settings: { reserveBytes: 4096, ...settings }, ...more })
  return { disk, fs, clock, log }
}

async function settled(): Promise<void> {
  for (let i = 0; i < 2; i++) await new Promise((resolve) => setImmediate(resolve))
}

const segmentsOn = (disk: SimDisk) => disk.list().filter((name) => parseFileName(name)?.kind === 'segment')
const logsOn = (disk: SimDisk) => disk.list().filter((name) => parseFileName(name)?.kind === 'log')

test('says how many bytes each topic has, before and after a rewrite, and how long each write took', async () => {
  let writes = 0
  const observe = (name: string) => void (name === 'reprise_log_fsync_duration_seconds' && writes++)
  const { log } = await world({}, { metrics: { ...noMetrics, observe } })
  await streamTopic(log)
  await streamTopic(log, 'other')
  const writer = await Writer.open(log, 'ingest')
  expect(Object.fromEntries(log.sizes())).toEqual({ orders: 0, other: 0 })
  const before = writes
  const own = Array.from({ length: 5 }, (_, n) => append('orders', 0, record(n)))
  for (const one of own) await writer.send(one)
  const foreign = append('other', 0, ...records(0, 3))
  await writer.send(foreign)
  expect(writes - before).toBe(6)
  const written = own.reduce((sum, { block }) => sum + block.length, 0)
  expect(Object.fromEntries(log.sizes())).toEqual({ orders: written, other: foreign.block.length })
  await log.rewrite()
  // Small blocks were joined: one head instead of five.
  expect(log.sizes().get('orders')).toBeLessThan(written)
  expect(log.sizes().get('orders')).toBeGreaterThan(written / 5)
  await log.deleteTopic('other')
  expect([...log.sizes().keys()]).toEqual(['orders'])
  await log.close()
})

describe('a full disk', () => {
  test('records are refused, what the engine itself says still goes through, and it goes on by itself', async () => {
    const { log, fs, disk, clock } = await world()
    await streamTopic(log)
    await log.createTopic({ name: 'control', partitions: 1, kind: 'internal' })
    const [ingest, control] = [await Writer.open(log, 'ingest'), await Writer.open(log, 'control')]
    await ingest.send(append('orders', 0, ...records(0, 5)))
    fs.faults = { ...noSimFaults, quota: disk.bytesUsed() }
    const { end } = ingest
    await expect(ingest.send(append('orders', 0, record(99)))).rejects.toMatchObject({ code: 'DISK_FULL' })
    ingest.end = end
    expect(log.bounds('orders', 0).end).toBe(5)
    expect(disk.list()).toContain('reserve')
    await control.send(append('control', 0, record(0)))
    expect(disk.list()).not.toContain('reserve')
    // There is room now, but not for these.
    await expect(ingest.send(append('orders', 0, record(99)))).rejects.toMatchObject({ code: 'DISK_FULL' })
    ingest.end = end
    await log.trim('orders', 0, 2)
    await control.send(append('control', 0, record(1)))
    expect(await valuesOf(log, 'control')).toEqual(values(0, 2))
    fs.faults = noSimFaults
    clock.advance(1000)
    await ingest.send(append('orders', 0, record(5)))
    expect(disk.list()).toContain('reserve')
    expect(await valuesOf(log, 'orders', 0, 2)).toEqual(values(2, 6))
    await log.close()
    const again = await world({}, { disk })
    expect(await valuesOf(again.log, 'orders', 0, 2)).toEqual(values(2, 6))
  })

  test('also when there is no room for the name of the reserve', async () => {
    const disk = new SimDisk(1)
    const fs = disk.mount()
    const create = fs.create.bind(fs)
    let full = true
    fs.create = async (name, options) => {
      if (full && name === 'reserve') throw new StreamError('DISK_FULL', { file: name })
      return create(name, options)
    }
    const { log, clock } = await world({}, { disk, fs })
    await streamTopic(log)
    const writer = await Writer.open(log)
    clock.advance(1000)
    await expect(writer.send(append('orders', 0, record(0)))).rejects.toMatchObject({ code: 'DISK_FULL' })
    full = false
    clock.advance(1000)
    writer.end = log.producerEnd('writer')!
    await writer.send(append('orders', 0, record(0)))
    expect(await valuesOf(log, 'orders')).toEqual(values(0, 1))
    await log.close()
  })

  test('what was refused does not come back, though all of it had reached the disk and power is lost right after the answer', async () => {
    const disk = new SimDisk(1)
    const fs = disk.mount()
    const create = fs.create.bind(fs)
    let full = false
    fs.create = async (name, options) => {
      const file = await create(name, options)
      const write = file.write.bind(file)
      file.write = async (bytes, position) => {
        await write(bytes, position)
        disk.writeBackAll()
        if (full) throw new StreamError('DISK_FULL', { file: name })
      }
      return file
    }
    const { log } = await world({}, { disk, fs })
    await streamTopic(log)
    const writer = await Writer.open(log)
    await writer.send(append('orders', 0, record(0)))
    full = true
    await expect(writer.send(append('orders', 0, record(1)))).rejects.toMatchObject({ code: 'DISK_FULL' })
    fs.kill('test')
    disk.losePower(0)
    expect(await valuesOf((await world({}, { disk })).log, 'orders')).toEqual(values(0, 1))
  })

  test('a log that can not begin a file uses up the reserve; without one it does not open, and changes nothing', async () => {
    const { log, disk } = await world()
    await streamTopic(log)
    await (await Writer.open(log)).send(append('orders', 0, record(0)))
    await log.close()
    const used = disk.bytesUsed()
    const fs = disk.mount({ faults: { ...noSimFaults, quota: used } })
    const again = await world({}, { disk, fs })
    expect(disk.list()).not.toContain('reserve')
    expect(await valuesOf(again.log, 'orders')).toEqual(values(0, 1))
    await again.log.close()
    const full = disk.mount({ faults: { ...noSimFaults, quota: disk.bytesUsed() } })
    await expect(world({}, { disk, fs: full })).rejects.toMatchObject({ code: 'DISK_FULL' })
    expect(await valuesOf((await world({}, { disk })).log, 'orders')).toEqual(values(0, 1))
  })

  test('a log file that can not be followed by another grows beyond its size until there is room', async () => {
    const { log, fs, disk, clock } = await world({ logFileBytes: 2000, reserveBytes: 0, rewriteBacklogBytesMax: 8000 })
    await streamTopic(log)
    const writer = await Writer.open(log)
    fs.create = async (name) => {
      throw new StreamError('DISK_FULL', { file: name })
    }
    for (const n of numbers(0, 20)) await writer.send(append('orders', 0, record(n)))
    expect(logsOn(disk).length).toBe(1)
    expect(disk.content(logsOn(disk)[0]!).length).toBeGreaterThan(4000)
    Reflect.deleteProperty(fs, 'create')
    clock.advance(1000)
    for (const n of numbers(20, 40)) await writer.send(append('orders', 0, record(n)))
    await settled()
    expect(segmentsOn(disk).length).toBeGreaterThan(0)
    expect(await valuesOf(log, 'orders')).toEqual(values(0, 40))
  })
})

describe('a failed sync', () => {
  test('ends the process: the commit has an unknown outcome, nothing is written any more', async () => {
    const fatal: unknown[] = []
    const { log, fs, disk } = await world({}, { fatal: (error) => fatal.push(error) })
    await streamTopic(log)
    const writer = await Writer.open(log)
    await writer.send(append('orders', 0, record(0)))
    fs.faults = { ...noSimFaults, syncFails: 1 }
    const outcomes = await Promise.allSettled([1, 2].map((n) => writer.send(append('orders', 0, record(n)))))
    expect(outcomes.map((one) => one.status === 'rejected' && codeOf(one.reason))).toEqual([
      'COMMIT_OUTCOME_UNKNOWN',
      'COMMIT_OUTCOME_UNKNOWN',
    ])
    expect(fatal.length).toBe(1)
    fs.faults = noSimFaults
    const { operations } = fs
    await expect(writer.send(append('orders', 0, record(3)))).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' })
    await expect(log.createTopic({ name: 'x', partitions: 1, kind: 'stream' })).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' })
    expect(fs.operations).toBe(operations)
    expect(log.bounds('orders', 0).end).toBe(1)
    fs.kill('the process ended')
    disk.losePower()
    expect((await valuesOf((await world({}, { disk })).log, 'orders')).slice(0, 1)).toEqual(values(0, 1))
  })
})

describe('waiting commits', () => {
  test('share one write and one sync when they came while another was under way', async () => {
    const { log, disk } = await world()
    await streamTopic(log)
    const writer = await Writer.open(log)
    disk.trace.length = 0
    await Promise.all(numbers(0, 50).map((n) => writer.send(append('orders', 0, record(n)))))
    expect(disk.trace.filter((line) => line.startsWith('sync')).length).toBe(1)
    expect(await valuesOf(log, 'orders')).toEqual(values(0, 50))
  })

  test('a group never has more bytes than a commit may have', async () => {
    const { log, disk } = await world({ commitBytesMax: 100_000 })
    await streamTopic(log)
    const writer = await Writer.open(log)
    disk.trace.length = 0
    await Promise.all(numbers(0, 6).map(() => writer.send({ topic: 'orders', partition: 0, block: largeBlock(40_000) })))
    expect(disk.trace.filter((line) => line.startsWith('sync')).length).toBe(3)
  })

  test('are bounded in bytes: one more is refused, and all that build on it', async () => {
    const { log } = await world({ pendingBytesMax: 100_000 })
    await streamTopic(log)
    const writer = await Writer.open(log)
    const large = () => ({ topic: 'orders', partition: 0, block: largeBlock(40_000) })
    const outcomes = await Promise.allSettled([large(), large(), large(), append('orders', 0, record(1))].map((one) => writer.send(one)))
    expect(outcomes.map((one) => one.status === 'rejected' && codeOf(one.reason))).toEqual([
      false,
      false,
      'LOG_UNAVAILABLE',
      'COMMIT_CONFLICT',
    ])
    expect(log.bounds('orders', 0).end).toBe(2)
  })

  test('wait while too much log is not yet rewritten, and go on when it is', async () => {
    const disk = new SimDisk(1)
    const fs = disk.mount()
    const create = fs.create.bind(fs)
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    fs.create = async (name, options) => {
      if (name.endsWith('.segment')) await held
      return create(name, options)
    }
    const { log } = await world({ logFileBytes: 3000, rewriteBacklogBytesMax: 8000 }, { disk, fs })
    await streamTopic(log)
    const writer = await Writer.open(log)
    let committed = 0
    const sending = (async () => {
      for (const n of numbers(0, 100)) {
        await writer.send(append('orders', 0, record(n)))
        committed++
      }
    })()
    for (let i = 0; i < 50; i++) await settled()
    expect(committed).toBeGreaterThan(10)
    expect(committed).toBeLessThan(60)
    const files = logsOn(disk).reduce((sum, name) => sum + disk.content(name).length, 0)
    expect(files).toBeLessThan(8000 + 2 * 4000)
    // Others do not wait: it is they who make room.
    await log.trim('orders', 0, 1)
    release()
    await sending
    expect(await valuesOf(log, 'orders', 0, 1)).toEqual(values(1, 100))
  })

  test('are refused when the rewrite can not go on', async () => {
    const disk = new SimDisk(1)
    const fs = disk.mount()
    const create = fs.create.bind(fs)
    let full = true
    fs.create = async (name, options) => {
      const file = await create(name, options)
      const write = file.write.bind(file)
      file.write = async (bytes, position) => {
        if (full && name.endsWith('.segment')) throw new StreamError('DISK_FULL', { file: name })
        return write(bytes, position)
      }
      return file
    }
    const { log, clock } = await world({ logFileBytes: 3000, rewriteBacklogBytesMax: 8000 }, { disk, fs })
    await streamTopic(log)
    const writer = await Writer.open(log)
    let refused: unknown
    for (let n = 0; n < 200 && refused === undefined; n++)
      await writer.send(append('orders', 0, record(n))).catch((error) => (refused = error))
    expect(codeOf(refused)).toBe('DISK_FULL')
    expect(segmentsOn(disk)).toEqual([])
    full = false
    clock.advance(1000)
    await settled()
    const end = log.bounds('orders', 0).end
    writer.end = log.producerEnd('writer')!
    await writer.send(append('orders', 0, record(end)))
    expect(await valuesOf(log, 'orders')).toEqual(values(0, end + 1))
  })
})

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

describe('backup', () => {
  test('is the log as of its beginning, while commits, rewrites and trims go on', async () => {
    const { log } = await world({ logFileBytes: 4000, joinedBlockBytes: 2000 })
    await streamTopic(log)
    const writer = await Writer.open(log)
    for (const n of numbers(0, 100)) await writer.send(append('orders', 0, record(n)))
    const target = new SimDisk(2)
    const copied = log.backup(target.mount())
    const others = (async () => {
      for (const n of numbers(100, 150)) await writer.send(append('orders', 0, record(n)))
      await log.trim('orders', 0, 120)
      await log.rewrite()
    })()
    await Promise.all([copied, others])
    target.losePower()
    const copy = await world({}, { disk: target })
    const { start, end } = copy.log.bounds('orders', 0)
    expect(start).toBe(0)
    expect(end).toBeGreaterThanOrEqual(100)
    expect(await valuesOf(copy.log, 'orders')).toEqual(values(0, end))
    expect(copy.log.producerEnd('writer')).toEqual({ seq: end, hash: `hash-${end}` })
    expect(await readAll(log, 'orders', 0, 120)).toHaveLength(30)
  })

  test('is of the point it says: with all that was acknowledged until then, without what comes after', async () => {
    const { log } = await world()
    await streamTopic(log)
    const writer = await Writer.open(log)
    let acknowledged = 0
    const feed = (async () => {
      for (const n of numbers(0, 50)) {
        await writer.send(append('orders', 0, record(n)))
        acknowledged = n + 1
      }
    })()
    await log.changed(log.changes())
    const target = new SimDisk(2)
    let atThatPoint = 0
    await log.backup(target.mount(), {
      atThatPoint: () => {
        atThatPoint = acknowledged
      },
    })
    await feed
    const copy = await world({}, { disk: target })
    expect(atThatPoint).toBeLessThan(49)
    // One may be durable that nobody was told of yet.
    expect(copy.log.bounds('orders', 0).end - atThatPoint).toBeOneOf([0, 1])
  })

  test('fails with what is thrown at its point, and the log goes on', async () => {
    const { log } = await world()
    await streamTopic(log)
    const atThatPoint = () => {
      throw new Error('not now')
    }
    await expect(log.backup(new SimDisk(2).mount(), { atThatPoint })).rejects.toThrow('not now')
    await (await Writer.open(log)).send(append('orders', 0, record(1)))
  })

  test('of a file that is shorter than recorded is refused', async () => {
    const { log, disk } = await world()
    await streamTopic(log)
    await (await Writer.open(log)).send(append('orders', 0, record(1)))
    await log.rewrite()
    const segment = segmentsOn(disk)[0]!
    disk.plant(segment, disk.content(segment).subarray(0, 10))
    await expect(log.backup(new SimDisk(2).mount())).rejects.toMatchObject({
      code: 'LOG_CORRUPT',
      details: { file: segment, position: 10 },
    })
  })
})

describe('housekeeping', () => {
  test('retention is applied from time to time, and its space comes back', async () => {
    const { log, clock, disk } = await world({ housekeepingEveryMs: 60_000 })
    await log.createTopic({ name: 'orders', partitions: 1, kind: 'stream', retentionMs: 100_000 })
    const writer = await Writer.open(log)
    for (const n of numbers(0, 5)) {
      await writer.send(append('orders', 0, record(n)))
      await log.rewrite()
      clock.advance(61_000)
      await settled()
    }
    expect(log.bounds('orders', 0)).toEqual({ start: 4, end: 5 })
    await settled()
    expect(segmentsOn(disk).length).toBe(1)
  })

  test('a table is compacted when half of it is new', async () => {
    const { log, clock } = await world({ housekeepingEveryMs: 60_000, ownSegmentBytesMin: 1000 })
    await log.createTopic({ name: 'totals', partitions: 1, kind: 'table', compacted: true })
    const writer = await Writer.open(log)
    for (const n of numbers(0, 60)) await writer.send(append('totals', 0, record(n, `key-${n % 3}`)))
    await log.rewrite()
    clock.advance(60_000)
    await settled()
    expect((await readAll(log, 'totals')).map(({ offset }) => offset)).toEqual([57, 58, 59])
  })
})
