import { expect, test } from 'vitest'
import { StreamError } from '../../../../engine/errors.ts'
import { EmbeddedLog } from '../../../../engine/log/embedded/embedded-log.ts'
import { logFileName } from '../../../../engine/log/embedded/file-names.ts'
import { FillAhead } from '../../../../engine/log/embedded/fill-ahead.ts'
import type { EmbeddedLogSettings } from '../../../../engine/log/embedded/settings.ts'
import { verifyLog } from '../../../../engine/log/embedded/verify-log.ts'
import type { FileSystem, WriteFile } from '../../../../engine/ports/file-system.ts'
import { append, largeBlock, numbers, record, streamTopic, values, valuesOf, Writer } from '../../../contract/log/records.ts'
import { Random } from '../../../support/random.ts'
import { SimClock } from '../../../support/sim-clock.ts'
import { SimDisk } from '../../../support/sim-fs.ts'

const chunk = 1 << 14

async function world(more: { settings?: Partial<EmbeddedLogSettings>; fs?: (fs: FileSystem) => FileSystem; seed?: number } = {}) {
  const disk = new SimDisk(more.seed ?? 1)
  const fs = disk.mount()
  const fatal: unknown[] = []
  const log = await EmbeddedLog.open({
    fs: more.fs?.(fs) ?? fs,
    clock: new SimClock(),
    settings: { reserveBytes: 0, fillAheadBytes: chunk, ...more.settings },
    fatal: (error) => fatal.push(error),
  })
  await streamTopic(log)
  return { disk, fs, fatal, log, writer: await Writer.open(log), size: () => disk.content(logFileName(1)).length }
}

/** Changes how a log file is filled. */
function filling(fill: (file: WriteFile, from: number, to: number) => Promise<void>, written = () => {}) {
  return (fs: FileSystem): FileSystem => ({
    list: () => fs.list(),
    open: (name) => fs.open(name),
    rename: (from, to) => fs.rename(from, to),
    remove: (name) => fs.remove(name),
    syncDirectory: () => fs.syncDirectory(),
    async create(name, options) {
      const file = await fs.create(name, options)
      const write = async (bytes: Uint8Array, position: number) => {
        await file.write(bytes, position)
        written()
      }
      const fillAhead = (from: number, to: number) => fill(file, from, to)
      return Object.assign(Object.create(file) as WriteFile, { fillAhead, write })
    },
  })
}

async function settled(): Promise<void> {
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve))
}

test('a log that grows by little has room behind its end, which is no damage, and gives it back on close', async () => {
  const { log, writer, size, disk, fs } = await world()
  for (const n of numbers(0, 100)) await writer.send(append('orders', 0, record(n)))
  await settled()
  const { logs, torn, faults } = { logs: size(), ...(await verifyLog(disk.mount())) }
  expect({ torn, faults }).toEqual({ torn: undefined, faults: [] })
  const room = disk.content(logFileName(1)).length - disk.content(logFileName(1)).findLastIndex((byte) => byte !== 0)
  expect(room).toBeGreaterThan(chunk / 2 - 2048)
  expect(logs % 4096).toBe(0)
  // What is written now has its place already.
  for (const n of numbers(100, 105)) await writer.send(append('orders', 0, record(n)))
  expect(size()).toBe(logs)
  await log.close()
  expect(size()).toBeLessThan(logs - chunk / 4)
  expect(disk.content(logFileName(1)).at(-1)).toBeDefined()
  const again = await EmbeddedLog.open({ fs: disk.mount(), clock: new SimClock(), settings: { reserveBytes: 0 } })
  expect(await valuesOf(again, 'orders')).toEqual(values(0, 105))
  fs.kill('test')
})

test('a process that is killed leaves it behind: the next start finds everything', async () => {
  const { writer, disk, fs, size } = await world()
  for (const n of numbers(0, 100)) await writer.send(append('orders', 0, record(n)))
  await settled()
  fs.kill('test')
  disk.losePower()
  expect(size()).toBeGreaterThan(chunk)
  const again = await EmbeddedLog.open({ fs: disk.mount(), clock: new SimClock(), settings: { reserveBytes: 0 } })
  expect(await valuesOf(again, 'orders')).toEqual(values(0, 100))
})

test('no room is made for large commits, beyond the size of a file, or when it is switched off', async () => {
  const fills: [number, number][] = []
  const fs = filling(async (file, from, to) => {
    fills.push([from, to])
    await file.fillAhead(from, to)
  })
  const large = await world({ fs, settings: { fillAheadBytes: 1 << 16 } })
  for (let n = 0; n < 20; n++) await large.writer.send({ topic: 'orders', partition: 0, block: largeBlock(1 << 13) })
  const off = await world({ fs, settings: { fillAheadBytes: 0 } })
  for (const n of numbers(0, 100)) await off.writer.send(append('orders', 0, record(n)))
  expect(fills).toEqual([])
  const bounded = await world({ fs, settings: { logFileBytes: 10_000 } })
  for (const n of numbers(0, 100)) await bounded.writer.send(append('orders', 0, record(n)))
  await settled()
  expect(fills.length).toBeGreaterThan(1)
  for (const [, to] of fills) expect(to).toBeLessThanOrEqual(10_000)
})

test('a disk that has no room to make ahead still takes what fits', async () => {
  const { log, writer, fatal } = await world({ fs: filling(() => Promise.reject(new StreamError('DISK_FULL', {}))) })
  for (const n of numbers(0, 50)) await writer.send(append('orders', 0, record(n)))
  expect(fatal).toEqual([])
  expect(await valuesOf(log, 'orders')).toEqual(values(0, 50))
  await log.close()
})

test('when making room fails in another way nothing is acknowledged any more, not even what is written already', async () => {
  for (const written of [false, true]) {
    let fail: (error: Error) => void = () => {}
    let onWrite: (() => void) | undefined
    const fs = filling(
      () => new Promise((_, reject) => (fail = reject)),
      () => onWrite?.(),
    )
    const { log, writer, fatal } = await world({ fs })
    for (const n of numbers(0, 8)) await writer.send(append('orders', 0, record(n)))
    if (written) onWrite = () => fail(new Error('EIO'))
    else fail(new Error('EIO'))
    await expect(writer.send(append('orders', 0, record(8)))).rejects.toMatchObject({ code: 'COMMIT_OUTCOME_UNKNOWN' })
    await expect(writer.send(append('orders', 0, record(9)))).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' })
    expect(fatal).toMatchObject([{ message: 'EIO' }])
    expect(log.bounds('orders', 0).end).toBe(8)
  }
})

test('what is written while the log closes is either refused or there when it opens again', async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const { log, writer, disk } = await world({ seed })
    for (const n of numbers(0, 10)) await writer.send(append('orders', 0, record(n)))
    const closing = log.close()
    const random = new Random(seed)
    for (let turns = random.int(60); turns > 0; turns--) await undefined
    const made = await log.createTopic({ name: 'late', partitions: 1, kind: 'stream' }).catch(() => undefined)
    await closing
    const again = await EmbeddedLog.open({ fs: disk.mount(), clock: new SimClock(), settings: { reserveBytes: 0 } })
    expect(again.topic('late')).toEqual(made)
  }
})

test('no write touches what is being filled, and all of it is there', async () => {
  for (let seed = 1; seed <= 100; seed++) {
    const random = new Random(seed)
    const file = new SlowFile(random)
    const ahead = new FillAhead(file)
    const wanted: number[] = []
    for (let n = 1; n <= 60; n++) {
      const bytes = random.chance(0.1) ? random.int(3 * chunk) : 1 + random.int(800)
      await ahead.clear(wanted.length + bytes)
      await file.write(Buffer.alloc(bytes, n), wanted.length)
      for (let i = 0; i < bytes; i++) wanted.push(n)
      ahead.grown(wanted.length, bytes, chunk, 1 << 30)
    }
    await ahead.stop()
    expect(file.content.subarray(0, wanted.length).equals(Buffer.from(wanted))).toBe(true)
  }
})

/** Fills piece by piece, and takes its time. */
class SlowFile {
  content = Buffer.alloc(1 << 21)
  private readonly random: Random
  private filled: { from: number; to: number } | undefined

  constructor(random: Random) {
    this.random = random
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    const end = position + bytes.length
    if (this.filled && end > this.filled.from && position < this.filled.to) throw new Error('written while it is filled')
    this.content.set(bytes, position)
    await this.wait()
  }

  async fillAhead(from: number, to: number): Promise<void> {
    this.filled = { from, to }
    for (let at = from; at < to; at += 1024) {
      this.content.fill(0, at, Math.min(to, at + 1024))
      await this.wait()
    }
    this.filled = undefined
  }

  private async wait(): Promise<void> {
    for (let turns = this.random.int(8); turns > 0; turns--) await undefined
  }
}
