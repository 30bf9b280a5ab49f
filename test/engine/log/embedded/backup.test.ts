import { describe, expect, test } from 'vitest'
import { append, numbers, readAll, record, streamTopic, values, valuesOf, Writer } from '../../../contract/log/records.ts'
import { SimDisk } from '../../../support/sim-fs.ts'
import { segmentsOn, world } from './log-world.ts'

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
