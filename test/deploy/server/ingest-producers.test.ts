import { describe, expect, test } from 'vitest'
import { IngestProducers } from '../../../deploy/server/ingest-producers.ts'
import { codeOf, StreamError } from '../../../engine/errors.ts'
import { EmbeddedLog } from '../../../engine/log/embedded/embedded-log.ts'
import { MemoryLog } from '../../../engine/log/memory/memory-log.ts'
import type { Log } from '../../../engine/ports/log.ts'
import { silentLogger } from '../../../engine/ports/world.ts'
import { numbers, record, streamTopic, valuesOf } from '../../contract/log/records.ts'
import { FaultyLog, noFaults } from '../../support/faulty-log.ts'
import { runsOf } from '../../support/lane.ts'
import { Random } from '../../support/random.ts'
import { SimClock } from '../../support/sim-clock.ts'
import { SimDisk } from '../../support/sim-fs.ts'

/** A log, and the way it is opened again. */
type Opened = { log: Log; reopen(): Promise<Log> }

const adapters: readonly [string, () => Promise<Opened>][] = [
  [
    'memory',
    async () => {
      let log = new MemoryLog({ clock: new SimClock() })
      return { log, reopen: async () => (log = log.reopen()) }
    },
  ],
  [
    'embedded',
    async () => {
      const disk = new SimDisk(1)
      const open = () => EmbeddedLog.open({ fs: disk.mount(), clock: new SimClock(), settings: { reserveBytes: 0, logFileBytes: 20_000 } })
      let log = await open()
      const reopen = async () => {
        await log.close()
        return (log = await open())
      }
      return { log, reopen }
    },
  ],
]

const batch = (name: string, from: number, to: number) =>
  numbers(from, to).map((n) => ({ ...record(n), value: Buffer.from(`${name} ${n}`) }))
const valuesFrom = (name: string, to: number) => numbers(0, to).map((n) => `${name} ${n}`)
const producersOf = (log: Log, producersMax: number) => new IngestProducers({ log, logger: silentLogger, producersMax })
const own = (log: Log) => log.producers().filter((id) => id.startsWith('http:'))

describe.each(adapters)('%s: producers of HTTP ingest', (_, make) => {
  test('are kept up to a number; whoever comes back from rest is known, also after a restart', async () => {
    const opened = await make()
    let { log } = opened
    await streamTopic(log)
    let producers = producersOf(log, 5)
    for (const n of numbers(0, 40)) await producers.append('orders', `p${n}`, batch(`p${n}`, 0, 3), 0)
    await producers.close()
    expect(own(log).length).toBeLessThanOrEqual(6)
    log = await opened.reopen()
    producers = producersOf(log, 5)
    for (const n of numbers(0, 40)) {
      // All of it again, and two more: three are known.
      expect(await producers.append('orders', `p${n}`, batch(`p${n}`, 0, 5), 0)).toEqual({ added: 2, skipped: 3, nextSequence: 5 })
      expect(await producers.append('orders', `p${n}`, batch(`p${n}`, 0, 5), 0)).toEqual({ added: 0, skipped: 5, nextSequence: 5 })
    }
    await producers.close()
    expect(own(log).length).toBeLessThanOrEqual(6)
    const found = await valuesOf(log, 'orders')
    expect(found.toSorted()).toEqual(
      numbers(0, 40)
        .flatMap((n) => valuesFrom(`p${n}`, 5))
        .toSorted(),
    )
  })

  test('that come back with a gap are refused with the number that is expected, at rest or not', async () => {
    const { log } = await make()
    await streamTopic(log)
    const producers = producersOf(log, 1)
    await producers.append('orders', 'feed', batch('feed', 0, 3), 0)
    for (const other of ['a', 'b', 'c']) await producers.append('orders', other, batch(other, 0, 1), 0)
    await producers.close()
    expect(log.producerEnd('http:orders:feed')).toBeUndefined()
    const again = producersOf(log, 1)
    const refused = await again.append('orders', 'feed', batch('feed', 4, 5), 4).catch((error: unknown) => error)
    expect(codeOf(refused)).toBe('REQUEST_INVALID')
    expect((refused as StreamError).details).toMatchObject({ sequence: 4, expected: 3 })
    expect(await again.append('orders', 'feed', batch('feed', 3, 5), 3)).toEqual({ added: 2, skipped: 0, nextSequence: 5 })
    await again.close()
  })

  test('left by an earlier life beyond the number go at once; those that took nothing leave nothing at all', async () => {
    const { log } = await make()
    await streamTopic(log)
    const wide = producersOf(log, 100)
    for (const n of numbers(0, 20)) await wide.append('orders', `p${n}`, batch(`p${n}`, 0, 1), 0)
    await wide.append('orders', 'nothing', batch('nothing', 7, 8), 7).catch(() => {})
    await log.producer('orders.v1.task-0')
    await wide.close()
    expect(own(log)).toHaveLength(21)
    const narrow = producersOf(log, 0)
    await narrow.append('orders', undefined, batch('anybody', 0, 1), undefined)
    while (own(log).length > 0) await new Promise((resolve) => setImmediate(resolve))
    await narrow.close()
    // Others are none of its business.
    expect(log.producers()).toEqual(['orders.v1.task-0'])
    let ends = 0
    const { name, partitions } = log.topic('reprise.ingest-ends')!
    for (const partition of numbers(0, partitions)) ends += (await valuesOf(log, name, partition)).length
    expect(ends).toBe(21)
  })

  test('who sends while it is laid to rest, and many at once, lose nothing and have nothing twice', async () => {
    const { log } = await make()
    await streamTopic(log)
    const producers = producersOf(log, 2)
    const sends: Promise<unknown>[] = []
    for (const n of numbers(0, 60))
      for (const name of ['a', 'b', 'c', 'd', 'e']) sends.push(producers.append('orders', name, batch(name, n, n + 1), n))
    await Promise.all(sends)
    await producers.close()
    const found = await valuesOf(log, 'orders')
    for (const name of ['a', 'b', 'c', 'd', 'e'])
      expect(found.filter((value) => value.startsWith(`${name} `))).toEqual(valuesFrom(name, 60))
  })

  test('that come all at once are down to the number again once they are served', async () => {
    const { log } = await make()
    await streamTopic(log)
    const producers = producersOf(log, 3)
    const first = numbers(0, 100).map((n) => producers.append('orders', `p${n}`, batch(`p${n}`, 0, 2), 0))
    const again = numbers(0, 100).map((n) => producers.append('orders', `p${n}`, batch(`p${n}`, 0, 2), 0))
    await Promise.all([...first, ...again])
    for (let turns = 0; own(log).length > 3 && turns < 5000; turns++) await new Promise((resolve) => setImmediate(resolve))
    expect(own(log)).toHaveLength(3)
    await producers.close()
    const found = await valuesOf(log, 'orders')
    expect(found.toSorted()).toEqual(
      numbers(0, 100)
        .flatMap((n) => valuesFrom(`p${n}`, 2))
        .toSorted(),
    )
  })

  test('have each record once whatever fails and wherever a life ends', { timeout: 120_000 }, async () => {
    let rests = 0
    for (const seed of numbers(1, 1 + runsOf(60))) {
      const random = new Random(seed)
      const opened = await make()
      let faulty = new Restless(opened.log, { seed })
      await streamTopic(opened.log)
      let producers = producersOf(faulty, 2)
      const sent = new Map<string, number>()
      for (let step = 0; step < 60; step++) {
        const name = `p${random.int(6)}`
        const done = sent.get(name) ?? 0
        const from = random.int(done + 1)
        const to = done + random.int(3)
        const outcome = await producers.append('orders', name, batch(name, from, to), from).catch((error: unknown) => error)
        if (outcome instanceof Error && !(outcome instanceof StreamError)) throw outcome
        // What was refused is sent again some time; the client knows no more than that.
        if (!(outcome instanceof Error)) sent.set(name, to)
        if (!random.chance(0.1)) continue
        // The process ends wherever it is: nothing more of it reaches the log.
        faulty.end()
        await producers.close()
        faulty = new Restless(await opened.reopen(), { seed: seed * 1000 + step })
        producers = producersOf(faulty, 2)
      }
      rests += faulty.rests
      await producers.close()
      const calm = new Restless(await opened.reopen(), { seed, rates: noFaults })
      producers = producersOf(calm, 2)
      for (const name of numbers(0, 6).map((n) => `p${n}`)) await producers.append('orders', name, batch(name, 0, 200), 0)
      await producers.close()
      expect(own(calm).length).toBeLessThanOrEqual(3)
      const found = await valuesOf(calm, 'orders')
      for (const name of numbers(0, 6).map((n) => `p${n}`))
        expect(
          found.filter((value) => value.startsWith(`${name} `)),
          `seed ${seed}`,
        ).toEqual(valuesFrom(name, 200))
    }
    expect(rests).toBeGreaterThan(0)
  })
})

test('a data directory from before, whose ends have one partition, goes on as it is', async () => {
  const log = new MemoryLog({ clock: new SimClock() })
  await streamTopic(log)
  await log.createTopic({ name: 'reprise.ingest-ends', partitions: 1, kind: 'internal' })
  const producers = producersOf(log, 1)
  for (const n of numbers(0, 5)) await producers.append('orders', `p${n}`, batch(`p${n}`, 0, 2), 0)
  for (const n of numbers(0, 5))
    expect(await producers.append('orders', `p${n}`, batch(`p${n}`, 0, 2), 0)).toMatchObject({ added: 0, skipped: 2 })
  await producers.close()
})

/** Fails also where a producer is forgotten, before or after; and takes nothing any more once its life is over. */
class Restless extends FaultyLog {
  rests = 0
  private over = false
  private readonly draws = new Random(99)

  end(): void {
    this.over = true
  }

  override async producer(id: string) {
    this.check()
    const { commit, ...producer } = await super.producer(id)
    return {
      ...producer,
      commit: async (...args: Parameters<typeof commit>) => {
        this.check()
        return commit(...args)
      },
    }
  }

  override async forgetProducer(id: string, epoch: number): Promise<void> {
    this.check()
    const fails = this.rates !== noFaults && this.draws.chance(0.2)
    const before = this.draws.chance(0.5)
    if (fails && before) throw new StreamError('LOG_UNAVAILABLE', { reason: 'a fault' })
    await super.forgetProducer(id, epoch)
    this.rests++
    if (fails) throw new StreamError('LOG_UNAVAILABLE', { reason: 'a fault' })
  }

  private check(): void {
    if (this.over) throw new StreamError('LOG_UNAVAILABLE', { reason: 'this life is over' })
  }
}
