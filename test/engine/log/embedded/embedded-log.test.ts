import { describe, expect, test } from 'vitest'
import { codeOf, StreamError } from '../../../../engine/errors.ts'
import { noMetrics } from '../../../../engine/ports/world.ts'
import {
  append,
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
import { noSimFaults, SimDisk } from '../../../support/sim-fs.ts'
import { logsOn, segmentsOn, settled, world } from './log-world.ts'

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
