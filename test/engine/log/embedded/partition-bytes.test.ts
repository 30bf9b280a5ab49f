import { expect, test } from 'vitest'
import { EmbeddedLog } from '../../../../engine/log/embedded/embedded-log.ts'
import { parseFileName } from '../../../../engine/log/embedded/file-names.ts'
import { largeBlock, streamTopic, Writer } from '../../../contract/log/records.ts'
import { SimClock } from '../../../support/sim-clock.ts'
import { SimDisk } from '../../../support/sim-fs.ts'

test('what a topic takes is about the same in log files and in segments, and goes down where it is trimmed', async () => {
  const [disk, clock] = [new SimDisk(1), new SimClock()]
  const log = await EmbeddedLog.open({ fs: disk.mount(), clock, settings: { reserveBytes: 4096, logFileBytes: 3000 } })
  await streamTopic(log, 'orders', 2)
  await streamTopic(log, 'others')
  const writer = await Writer.open(log)
  let [orders, others] = [0, 0]
  for (let i = 0; i < 30; i++) {
    const [one, other] = [largeBlock(200 + i), largeBlock(100)]
    orders += one.length
    others += other.length
    await writer.send({ topic: 'orders', partition: i % 2, block: one }, { topic: 'others', partition: 0, block: other })
    expect([log.bytesOf('orders'), log.bytesOf('others')]).toEqual([orders, others])
  }
  const kinds = () => new Set(disk.list().map((name) => parseFileName(name)?.kind))
  for (let tries = 0; !kinds().has('segment') && tries < 100; tries++) {
    clock.advance(100)
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect([...kinds()]).toEqual(expect.arrayContaining(['log', 'segment']))
  // Small blocks are joined there: what went are their heads.
  for (const [name, bytes] of [
    ['orders', orders],
    ['others', others],
  ] as const) {
    expect(log.bytesOf(name)).toBeGreaterThan(0.7 * bytes)
    expect(log.bytesOf(name)).toBeLessThanOrEqual(bytes)
  }
  expect(log.bytesOf('unheard-of')).toBe(0)
  const before = log.bytesOf('others')
  await log.trim('orders', 0, log.bounds('orders', 0).end)
  await log.trim('orders', 1, log.bounds('orders', 1).end)
  expect(log.bytesOf('orders')).toBeLessThan(orders / 3)
  expect(log.bytesOf('others')).toBeGreaterThanOrEqual(0.9 * before)
  await log.close()
})
