import { TestKit } from 'reprise/testing'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { count, defineJob, sum, topic, tumbling } from '../../../index.ts'

const orders = topic('orders', {
  value: z.object({ customer: z.string(), amount: z.number(), at: z.number() }),
  key: (order) => order.customer,
  eventTime: (order) => order.at,
})
const hours = topic('hours', { value: z.object({ customer: z.string(), hour: z.number(), value: z.number() }) })

const hour = 3_600_000
const start = Date.UTC(2026, 0, 1)
const options = { startAt: start + 240 * hour, partitions: { orders: 2 } }

const counts = defineJob('shop', (job) => {
  job
    .from(orders)
    .keyBy('by-customer', (order) => order.customer)
    .window('hourly', tumbling('1h'))
    .aggregate({ orders: count() })
    .map(({ orders }, window) => ({ customer: window.key, hour: (window.start - start) / hour, value: orders }))
    .to(hours)
})
/** The same windows, another result. */
const sums = defineJob('shop', (job) => {
  job
    .from(orders)
    .keyBy('by-customer', (order) => order.customer)
    .window('hourly', tumbling('1h'))
    .aggregate({ total: sum((order) => order.amount) })
    .map(({ total }, window) => ({ customer: window.key, hour: (window.start - start) / hour, value: total }))
    .to(hours)
})

const at = (hours: number, amount: number) => ({ customer: 'ann', amount, at: start + hours * hour })
/** Both partitions come to this hour. */
const both = async (kit: TestKit, hours: number, amount: number) => {
  for (const partition of [0, 1]) await kit.send(orders, [at(hours, amount)], { partition })
}
const published = async (kit: TestKit) => (await kit.output(hours)).map(({ value }) => [value!.hour, value!.value])

describe('versions of a job', () => {
  test('another version computes all of history beside the one that publishes, and takes over at one point', async () => {
    await using kit = await TestKit.start(counts, options)
    await both(kit, 0.5, 10)
    await both(kit, 1.5, 20)
    const second = await kit.deploy(sums)
    expect(second).toBe(2)
    expect(await published(kit)).toEqual([[0, 2]])
    expect((await kit.privateOutput(hours, second)).map(({ value }) => [value!.hour, value!.value])).toEqual([[0, 20]])

    await kit.promote(second)
    await both(kit, 2.5, 30)
    await kit.settle()
    expect(await published(kit), "the hour that was open at the cut is the new version's").toEqual([
      [0, 2],
      [1, 40],
    ])

    await kit.rollback()
    await both(kit, 3.5, 40)
    await kit.settle()
    expect((await published(kit)).at(-1)).toEqual([2, 2])
    await kit.complete()
    expect(await published(kit)).toEqual([
      [0, 2],
      [1, 40],
      [2, 2],
      [3, 2],
    ])
  })

  test.each([1, 2, 3])('what dies in between changes nothing, with %i tasks a stage', async (parallelism) => {
    await using kit = await TestKit.start(counts, { ...options, parallelism })
    for (let hour = 0; hour < 8; hour++) {
      await both(kit, hour + 0.5, 1)
      if (hour === 1) await kit.deploy(counts)
      if (hour === 2) await kit.promote(2)
      if (hour === 4) await kit.rollback()
      if (hour === 6) await kit.promote(2)
      await (hour % 2 === 0 ? kit.crash() : kit.restart())
    }
    await kit.complete()
    expect(await published(kit)).toEqual(Array.from({ length: 8 }, (_, hour) => [hour, 2]))
  })

  test('what can not be is refused, and nothing changes', async () => {
    await using kit = await TestKit.start(counts, options)
    await expect(kit.promote(2)).rejects.toMatchObject({ code: 'VERSION_UNKNOWN' })
    await expect(kit.rollback()).rejects.toMatchObject({ code: 'VERSION_UNKNOWN' })
    const other = defineJob('another', (job) => job.from(orders).to(topic('all', { codec: 'json' })))
    await expect(kit.deploy(other)).rejects.toMatchObject({ code: 'JOB_INVALID' })
    await kit.deploy(sums)
    await expect(kit.promote(1)).rejects.toMatchObject({ code: 'CUT_OVER_ABORTED' })
    await expect(kit.promote(3)).rejects.toMatchObject({ code: 'VERSION_UNKNOWN' })
    await kit.promote(2)
    await kit.complete()
    await expect(kit.deploy(counts)).rejects.toMatchObject({ code: 'JOB_SEALED' })
  })
})
