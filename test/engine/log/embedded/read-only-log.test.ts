import { describe, expect, test } from 'vitest'
import { codeOf } from '../../../../engine/errors.ts'
import { EmbeddedLog } from '../../../../engine/log/embedded/embedded-log.ts'
import { logFileName } from '../../../../engine/log/embedded/file-names.ts'
import { ReadOnlyLog } from '../../../../engine/log/embedded/read-only-log.ts'
import type { FileSystem } from '../../../../engine/ports/file-system.ts'
import { append, readAll, record, records, streamTopic, Writer } from '../../../contract/log/records.ts'
import { runsOf } from '../../../support/lane.ts'
import { realClock } from '../../../support/real-clock.ts'
import { SimDisk } from '../../../support/sim-fs.ts'
import { readOnlyRun } from './read-only-run.ts'

/** One seed: REPRISE_SEED=7 npx vitest run test/engine/log/embedded/read-only-log.test.ts. Thousands: REPRISE_FULL=1 */
const one = process.env.REPRISE_SEED
const runs = process.env.REPRISE_FULL ? 5000 : runsOf(60)
const seeds = one ? [Number(one)] : Array.from({ length: runs }, (_, i) => i + 1)

test(
  'what a view of another process shows is never taken back, over kills, failed syncs, full disks and restarts of the writer',
  async () => {
    const total = { kills: 0, failures: 0, commits: 0, looks: 0, followed: 0 }
    for (const seed of seeds) {
      const result = await readOnlyRun(seed)
      if (result.violation) {
        const again = `again: REPRISE_SEED=${seed} npx vitest run test/engine/log/embedded/read-only-log.test.ts`
        throw new Error([`seed ${seed}: ${result.violation}`, again, ...result.trace.slice(-80)].join('\n'))
      }
      for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += result[name]
    }
    if (one) return
    // A run in which nothing happened proves nothing.
    expect(total.kills).toBeGreaterThan(seeds.length)
    expect(total.failures).toBeGreaterThan(seeds.length / 3)
    expect(total.commits).toBeGreaterThan(seeds.length * 5)
    expect(total.looks).toBeGreaterThan(seeds.length * 5)
    expect(total.followed).toBeGreaterThan(seeds.length)
  },
  process.env.REPRISE_FULL ? 3_600_000 : 60_000,
)

describe('beside a writer', () => {
  async function begin() {
    const disk = new SimDisk(1)
    const log = await EmbeddedLog.open({ fs: disk.mount(), clock: realClock, settings: { reserveBytes: 0, quietAfterMs: 100_000 } })
    await streamTopic(log)
    const writer = await Writer.open(log)
    const view = (fs: FileSystem = disk.mount()) => ReadOnlyLog.open({ fs, clock: realClock })
    return { disk, log, writer, view }
  }

  test('the last commit is hidden until a frame stands behind it', async () => {
    const { log, writer, view } = await begin()
    await writer.send(append('orders', 0, ...records(0, 3)))
    await writer.send(append('orders', 0, ...records(3, 5)))
    const seen = await view()
    expect(seen.bounds('orders', 0)).toEqual({ start: 0, end: 3 })
    const changed = seen.changed(seen.changes())
    await log.close()
    await changed
    expect(seen.bounds('orders', 0)).toEqual({ start: 0, end: 5 })
    expect(await readAll(seen as never, 'orders', 0, 0)).toEqual(await readAll((await view()) as never, 'orders', 0, 0))
    expect(seen.producerEnd('writer')).toEqual(writer.end)
    expect(seen.topics()).toEqual(log.topics())
    await seen.close()
  })

  test('nothing is written and no file is made', async () => {
    const { disk, log, writer, view } = await begin()
    await writer.send(append('orders', 0, record(1)))
    const fs = disk.mount()
    const seen = await view(fs)
    await writer.send(append('orders', 0, record(2)))
    await seen.refresh()
    expect(fs.operations).toBe(0)
    await seen.close()
    await log.close()
  })

  test('frames that come while it looks for damage are none', async () => {
    const { disk, log, writer, view } = await begin()
    let sizes = 0
    const fs = onSize(disk.mount(), async () => {
      // Behind the look at the frames: the file has grown by two of them.
      if (sizes++ === 0) for (const n of [1, 2]) await writer.send(append('orders', 0, record(n)))
    })
    const seen = await view(fs)
    expect(sizes).toBeGreaterThan(0)
    await writer.send(append('orders', 0, record(3)))
    await seen.refresh()
    expect(await readAll(seen as never, 'orders', 0, 0)).toHaveLength(2)
    await seen.close()
    await log.close()
  })

  test('a look that is asked for while one is under way sees what was committed in between', async () => {
    const { disk, log, writer, view } = await begin()
    let again: Promise<boolean> | undefined
    let armed = false
    const fs = onSize(disk.mount(), async () => {
      if (!armed) return
      armed = false
      for (const n of [2, 3, 4]) await writer.send(append('orders', 0, record(n)))
      again = seen.refresh()
    })
    const seen = await view(fs)
    await writer.send(append('orders', 0, record(1)))
    armed = true
    await seen.refresh()
    await again
    expect(seen.bounds('orders', 0).end).toBe(3)
    await seen.close()
    await log.close()
  })

  test('a damaged frame with others behind it is told, at the first look and later', async () => {
    const { disk, log, writer, view } = await begin()
    for (const n of [1, 2, 3]) await writer.send(append('orders', 0, record(n)))
    const seen = await view()
    const name = logFileName(1)
    const from = disk.content(name).length
    for (const n of [4, 5, 6]) await writer.send(append('orders', 0, record(n)))
    await log.close()
    const bytes = disk.content(name)
    bytes[from + 20]! ^= 1
    disk.plant(name, bytes)
    expect(await view().catch(codeOf)).toBe('LOG_CORRUPT')
    expect(await seen.refresh().catch(codeOf)).toBe('LOG_CORRUPT')
    await seen.close()
  })

  test('a torn frame at the end is no damage', async () => {
    const { disk, log, writer, view } = await begin()
    for (const n of [1, 2]) await writer.send(append('orders', 0, record(n)))
    await log.close()
    const bytes = disk.content(logFileName(1))
    disk.plant(logFileName(1), Buffer.concat([bytes, Buffer.alloc(500, 7)]))
    const seen = await view()
    for (let look = 0; look < 3; look++) await seen.refresh()
    expect(await readAll(seen as never, 'orders', 0, 0)).toHaveLength(2)
    await seen.close()
  })

  test('a listed file that is missing is told', async () => {
    const { disk, log, writer, view } = await begin()
    await writer.send(append('orders', 0, record(1)))
    await log.rewrite()
    await log.close()
    const segment = disk.list().find((name) => name.endsWith('.segment'))!
    const fs = disk.mount()
    await fs.remove(segment)
    const seen = await view()
    expect(await readAll(seen as never, 'orders', 0, 0).catch(codeOf)).toBe('LOG_CORRUPT')
    await seen.close()
  })

  test('where no log has begun it is said', async () => {
    expect(await ReadOnlyLog.open({ fs: new SimDisk(1).mount(), clock: realClock }).catch(codeOf)).toBe('LOG_UNAVAILABLE')
  })
})

/** Calls `act` before a file answers how long it is. */
function onSize(fs: FileSystem, act: () => Promise<void>): FileSystem {
  const open = async (name: string) => {
    const file = await fs.open(name)
    const size = async () => {
      await act()
      return file.size()
    }
    return { size, read: file.read.bind(file), close: file.close.bind(file) }
  }
  return { ...fs, list: () => fs.list(), open, create: fs.create, rename: fs.rename, remove: fs.remove, syncDirectory: fs.syncDirectory }
}
