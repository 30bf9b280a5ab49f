import { describe, expect, test } from 'vitest'
import { EmbeddedLog, type EmbeddedLogOptions } from '../../../../engine/log/embedded/embedded-log.ts'
import { logFileName, parseFileName } from '../../../../engine/log/embedded/file-names.ts'
import type { EmbeddedLogSettings } from '../../../../engine/log/embedded/settings.ts'
import { type Logger, noMetrics, silentLogger } from '../../../../engine/ports/world.ts'
import { append, largeBlock, readAll, record, streamTopic, Writer } from '../../../contract/log/records.ts'
import { SimClock } from '../../../support/sim-clock.ts'
import { SimDisk, type SimFs } from '../../../support/sim-fs.ts'

const minute = 60_000
const largestBlock = 1400
const hour = 60 * minute
const small: Partial<EmbeddedLogSettings> = { reserveBytes: 0, ownSegmentBytesMin: 1000, joinedBlockBytes: 1000, scrubEveryMs: hour }

interface Told {
  readonly code?: string
  readonly file?: string
  readonly position?: number
}

class World {
  readonly disk = new SimDisk(1)
  readonly clock = new SimClock()
  readonly fs: SimFs = this.disk.mount()
  /** Errors and the ends of rounds, as logged. */
  readonly errors: Told[] = []
  rounds = 0
  bytesRead = 0
  faults = 0
  log!: EmbeddedLog

  static async open(settings: Partial<EmbeddedLogSettings> = {}, more: Partial<EmbeddedLogOptions> = {}): Promise<World> {
    const world = new World()
    const logger: Logger = {
      ...silentLogger,
      error: (fields) => world.errors.push(fields as Told),
      info: (_, message) => {
        if (message === 'log read through') world.rounds++
      },
    }
    const metrics = {
      ...noMetrics,
      add: (name: string, _: object, by: number) => {
        if (name === 'reprise_log_scrubbed_bytes_total') world.bytesRead += by
        if (name === 'reprise_log_corruptions_total') world.faults += by
      },
    }
    const { clock, fs } = world
    world.log = await EmbeddedLog.open({ fs, clock, logger, metrics, settings: { ...small, ...settings }, ...more })
    return world
  }

  /** Two partitions of large blocks, one in a mixed segment, and some more in the newest log file. */
  async fill(): Promise<Writer> {
    const { log } = this
    await streamTopic(log, 'orders', 3)
    const writer = await Writer.open(log)
    for (let n = 0; n < 4; n++) {
      const large = [0, 1].map((partition) => ({ topic: 'orders', partition, block: largeBlock(1200) }))
      await writer.send(...large, append('orders', 2, record(n)))
    }
    await log.rewrite()
    for (let n = 0; n < 3; n++) await writer.send(append('orders', n, record(100 + n)))
    return writer
  }

  /** All blocks of the log's files, by name and place. */
  files(): string[] {
    return this.disk.list().filter((name) => parseFileName(name))
  }

  flip(name: string, position: number): void {
    const { memory, disk } = this.disk.find(name)
    memory.bytes[position]! ^= 4
    disk.bytes[position]! ^= 4
  }

  /** Time passes in steps, and all that can happen meanwhile does. */
  async pass(ms: number, stepMs = ms): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) {
      this.clock.advance(stepMs)
      await settled()
    }
  }
}

async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
}

describe('the log is read through in the background', () => {
  test('a minute after the start, then at its interval; where nothing is wrong nothing is said', async () => {
    const world = await World.open()
    await world.fill()
    await world.pass(minute - 1)
    expect(world.rounds).toBe(0)
    await world.pass(1)
    await world.pass(minute, 1000)
    expect(world.rounds).toBe(1)
    const all = world.files().reduce((sum, name) => sum + world.disk.content(name).length, 0)
    // Directories of segments are read too, and not counted.
    expect(world.bytesRead).toBeGreaterThan(all * 0.8)
    expect(world.bytesRead).toBeLessThanOrEqual(all)
    await world.pass(3 * hour, minute)
    expect(world.rounds).toBe(4)
    expect(world.errors).toEqual([])
    await world.log.close()
  })

  test('not faster than it may', async () => {
    const world = await World.open({ scrubBytesPerSecond: 1000 })
    await world.fill()
    await world.pass(minute)
    for (let second = 1; world.rounds === 0; second++) {
      await world.pass(1000)
      expect(world.bytesRead).toBeLessThanOrEqual((second + 1) * 1000 + largestBlock)
      expect(second).toBeLessThan(60)
    }
    expect(world.bytesRead).toBeGreaterThan(8000)
  })

  test('never, when either setting says so', async () => {
    for (const off of [{ scrubBytesPerSecond: 0 }, { scrubEveryMs: 0 }]) {
      const world = await World.open(off)
      await world.fill()
      await world.pass(10 * hour, 10 * minute)
      expect([world.rounds, world.bytesRead]).toEqual([0, 0])
    }
  })

  test.each([
    ['have stayed in the log file', 1000],
    ['were moved', 10_000],
  ])(
    'a flipped bit anywhere is told with code, file and position and counted; only readers of that block stop (blocks %s)',
    async (_, joinedBlockBytes) => {
      let checked = 0
      for (let at = 60; ; at += 311) {
        const world = await World.open({ joinedBlockBytes })
        const writer = await world.fill()
        const files = world.files()
        const ends = files.map((name) => world.disk.content(name).length)
        let position = at
        const file = files.find((_, i) => {
          if (position < ends[i]!) return true
          position -= ends[i]!
          return false
        })
        if (file === undefined) break
        world.flip(file, position)
        await world.pass(2 * minute, minute)
        expect(world.rounds).toBe(1)
        expect(world.errors).toMatchObject([{ code: 'LOG_CORRUPT', file, error: { code: 'LOG_CORRUPT', details: { file } } }])
        expect(world.errors[0]!.position).toBeLessThanOrEqual(position)
        expect(world.faults).toBe(1)
        const outcomes = await Promise.allSettled([0, 1, 2].map((partition) => readAll(world.log, 'orders', partition)))
        // What was read already may stop none; an index is of two partitions.
        const stopped = outcomes.filter(({ status }) => status === 'rejected').length
        expect(stopped).toBeLessThanOrEqual(parseFileName(file)!.kind === 'log' ? 3 : joinedBlockBytes === 1000 ? 2 : 1)
        await writer.send(append('orders', 0, record(200)))
        await world.log.close()
        checked++
      }
      expect(checked).toBeGreaterThan(30)
    },
  )

  test('files that are rewritten and removed while it reads are no damage, nor is what was wrong with them', async () => {
    const world = await World.open({ scrubBytesPerSecond: 1000 })
    const writer = await world.fill()
    await world.pass(minute)
    for (let n = 0; n < 8; n++) {
      await writer.send(append('orders', 2, record(300 + n)))
      await world.log.rewrite()
      await world.pass(500)
    }
    expect(world.rounds).toBe(0)
    await world.log.deleteTopic('orders')
    await world.log.rewrite()
    for (const name of world.files()) if (parseFileName(name)?.kind === 'segment') world.flip(name, 100)
    await world.pass(minute, 1000)
    expect(world.rounds).toBe(1)
    expect(world.errors).toEqual([])
  })

  test('damage found in a file that leaves the list before it was read to its end is not told of', async () => {
    const world = await World.open({ scrubBytesPerSecond: 100 })
    await world.fill()
    const segment = world.files().find((name) => parseFileName(name)?.kind === 'segment')!
    world.flip(segment, 400)
    await world.pass(minute)
    expect(world.bytesRead).toBeGreaterThan(0)
    await world.log.deleteTopic('orders')
    await world.log.rewrite()
    expect(world.files()).not.toContain(segment)
    await world.pass(3 * minute, 1000)
    expect(world.rounds).toBe(1)
    expect(world.errors).toEqual([])
  })

  test('a listed file that is missing is told of', async () => {
    const world = await World.open()
    await world.fill()
    const segment = world.files().find((name) => parseFileName(name)?.kind === 'segment')!
    await world.fs.remove(segment)
    await world.pass(2 * minute, minute)
    expect(world.errors).toMatchObject([{ code: 'LOG_CORRUPT', file: segment, position: 0 }])
  })

  test('damage that stays is told again in each round', async () => {
    const world = await World.open()
    await world.fill()
    expect(world.files()).toContain(logFileName(2))
    world.flip(logFileName(2), 100)
    await world.pass(2 * hour + 2 * minute, minute)
    expect([world.rounds, world.faults]).toEqual([3, 3])
  })

  test('closing stops it at once: nothing is read any more', async () => {
    for (const waits of [0, minute, minute + 1000]) {
      const world = await World.open({ scrubBytesPerSecond: 100 })
      await world.fill()
      await world.pass(waits)
      const before = world.bytesRead
      await world.log.close()
      const { bytesRead } = world
      // What was being read already.
      expect(bytesRead - before).toBeLessThanOrEqual(largestBlock)
      await world.pass(2 * hour, minute)
      expect(world.bytesRead).toBe(bytesRead)
      expect(world.rounds).toBe(0)
    }
  })
})
