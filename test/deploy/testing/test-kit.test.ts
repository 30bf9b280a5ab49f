import { TestKit } from 'reprise/testing'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { count, defineJob, map, output, sum, topic, tumbling, value } from '../../../index.ts'

const orders = topic('orders', {
  value: z.object({ customer: z.string(), amount: z.number(), at: z.number() }),
  key: (order) => order.customer,
  eventTime: (order) => order.at,
  idleAfter: '1m',
  onBad: 'deadLetter',
})
const totals = topic('totals', {
  kind: 'table',
  value: z.object({ customer: z.string(), total: z.number() }),
  key: (row) => row.customer,
})
const hours = topic('hours', { value: z.object({ customer: z.string(), hour: z.number(), orders: z.number(), sum: z.number() }) })
const reminders = topic('reminders', { value: z.object({ customer: z.string() }) })

const hour = 3_600_000
const start = Date.UTC(2026, 0, 1)
/** Behind all event times: none lies in the future. */
const now = start + 24 * hour

const job = defineJob('shop', (job) => {
  const byCustomer = job.from(orders).keyBy('by-customer', (order) => order.customer)
  byCustomer
    .window('hourly', tumbling('1h'))
    .aggregate({ orders: count(), sum: sum((order) => order.amount) })
    .map((row, window) => ({ customer: window.key, hour: (window.start - start) / hour, ...row }))
    .to(hours)
  byCustomer
    .process('totals', {
      state: { total: value<number>() },
      output: output<{ customer: string; total: number }>(),
      onRecord({ state, key, emit }, { amount }) {
        state.total.put((state.total.get() ?? 0) + amount)
        emit({ customer: key, total: state.total.get()! })
      },
    })
    .to(totals)
})

const order = (customer: string, amount: number, minute: number) => ({ customer, amount, at: start + minute * 60_000 })
const inOneHour = [order('ann', 5, 1), order('bob', 7, 2), order('ann', 1, 3)]
const later = [order('bob', 2, 70), order('ann', 4, 75), order('bob', 1, 140)]

/** All there is to see, in an order that does not depend on partitions. */
async function results(kit: TestKit) {
  const sorted = <T>(rows: readonly T[]) => rows.map((row) => JSON.stringify(row)).sort()
  return {
    totals: sorted([...(await kit.table(totals))]),
    hours: sorted((await kit.output(hours)).map((row) => row.value)),
    late: (await kit.late()).length,
  }
}
const expected = async () => {
  await using kit = await TestKit.start(job, { startAt: now })
  await kit.send(orders, [...inOneHour, ...later])
  await kit.complete()
  return await results(kit)
}

test('what was sent is processed when the kit has settled; what waits for time is not', async () => {
  await using kit = await TestKit.start(job, { startAt: now })
  await kit.send(orders, inOneHour)
  await kit.settle()
  expect(await kit.output(hours)).toEqual([])
  await kit.send(orders, later)
  await kit.settle()
  const [first] = await kit.output(hours)
  expect(first).toMatchObject({ partition: 0, offset: 0, value: { customer: 'ann', hour: 0, orders: 2, sum: 6 } })
})

test('completed, everything open fires, and the totals add up', async () => {
  await using kit = await TestKit.start(job, { startAt: now })
  await kit.send(orders, [...inOneHour, ...later])
  expect(await kit.complete()).toMatchObject({ in: 6, processed: 6, skipped: 0, deadLettered: 0 })
  expect(await kit.table(totals)).toEqual(
    new Map([
      ['ann', { customer: 'ann', total: 10 }],
      ['bob', { customer: 'bob', total: 10 }],
    ]),
  )
  expect((await kit.output(hours)).map((row) => row.value!.hour)).toEqual([0, 0, 1, 1, 2])
})

test.each([1, 2])(
  'headers are sent, seen by the job, and kept by what it sets aside after the turn of the record: parallelism %i',
  async (parallelism) => {
    const seen: unknown[] = []
    const failing = defineJob('failing', { onBad: 'deadLetter' }, (job) => {
      job
        .from(orders)
        .keyBy('by-customer', (order) => order.customer)
        .process('waits', {
          output: output<unknown>(),
          onRecord({ record }) {
            seen.push(record.headers)
            throw new Error('never')
          },
        })
        .to(topic('none', { codec: 'json' }))
    })
    await using kit = await TestKit.start(failing, { startAt: now, parallelism })
    await kit.send(orders, [order('ann', 5, 1)], { headers: { trace: 'a', more: Buffer.from('b') } })
    await kit.sendRaw([{ topic: 'orders', value: JSON.stringify(order('bob', 5, 2)), eventTime: start, headers: { trace: 'c' } }])
    expect(await kit.complete()).toMatchObject({ in: 2, processed: 2, deadLettered: 0, derived: { skipped: 0, deadLettered: 2 } })
    expect(seen).toEqual(expect.arrayContaining([{ trace: 'a', more: 'b' }, { trace: 'c' }]))
    const letters = (await kit.deadLetters()).map(({ headers }) =>
      Object.fromEntries(headers.map(({ name, value }) => [name, Buffer.from(value).toString()])),
    )
    for (const own of [{ trace: 'a', more: 'b' }, { trace: 'c' }])
      expect(letters).toContainEqual(expect.objectContaining({ ...own, 'reprise.topic': 'orders', 'reprise.derived': 'yes' }))
  },
)

test('nothing can be sent once the input was declared complete, and that is said', async () => {
  await using kit = await TestKit.start(job, { startAt: now })
  await kit.complete()
  await expect(kit.send(orders, inOneHour)).rejects.toMatchObject({ code: 'JOB_SEALED' })
  expect(await kit.complete()).toMatchObject({ in: 0 })
  await kit.settle()
})

describe('a job that dies', () => {
  test('between any two records gives what an undisturbed one gives', async () => {
    const undisturbed = await expected()
    for (let at = 0; at <= 6; at++) {
      await using kit = await TestKit.start(job, { startAt: now })
      for (const [i, one] of [...inOneHour, ...later].entries()) {
        if (i === at) await kit.crash()
        await kit.send(orders, [one])
        if (i % 2 === 0) await kit.settle()
      }
      if (at === 6) await kit.crash()
      await kit.complete()
      expect(await results(kit)).toEqual(undisturbed)
    }
  })

  test('has its state back from the journal alone, or from the checkpoint of a clean stop', async () => {
    await using kit = await TestKit.start(job, { startAt: now })
    await kit.send(orders, inOneHour)
    await kit.send(orders, [order('zoe', 1, 30)])
    await kit.settle()
    expect(kit.state('totals', 'total', 'ann')).toBe(6)
    for (const disturb of ['crash', 'restart', 'crash'] as const) {
      await kit[disturb]()
      await kit.settle()
      expect(kit.state('totals', 'total', 'ann')).toBe(6)
    }
  })
})

test('records that come too late, or are no records, are kept with the reason', async () => {
  await using kit = await TestKit.start(job, { startAt: now })
  await kit.send(orders, [order('ann', 1, 200), order('ann', 1, 1)])
  await kit.sendRaw([{ topic: 'orders', value: '{"customer":1}' }])
  const totalsAtEnd = await kit.complete()
  expect(totalsAtEnd).toMatchObject({ in: 3, processed: 2, deadLettered: 1 })
  const reasons = (await kit.late()).map(({ headers }) =>
    Object.fromEntries(headers.map(({ name, value }) => [name, Buffer.from(value).toString()])),
  )
  expect(reasons.map((headers) => [headers['reprise.operator'], headers['reprise.offset']]).sort()).toEqual([
    ['hourly', '1'],
    ['totals', '1'],
  ])
  const [letter] = await kit.deadLetters()
  expect(Buffer.from(letter!.value!).toString()).toBe('{"customer":1}')
})

test('a partition without data holds time back until it has been idle for long enough', async () => {
  await using kit = await TestKit.start(job, { startAt: now, partitions: { orders: 2 } })
  await kit.send(orders, [order('ann', 1, 1), order('ann', 1, 61)], { partition: 0 })
  await kit.advanceTime(30_000)
  expect(await kit.output(hours)).toEqual([])
  // Of partitions that are all idle none moves time on.
  await kit.send(orders, [order('ann', 1, 62)], { partition: 0 })
  await kit.advanceTime(25_000)
  expect(await kit.output(hours)).toEqual([])
  await kit.advanceTime(10_000)
  expect((await kit.output(hours)).map((row) => row.value)).toEqual([{ customer: 'ann', hour: 0, orders: 1, sum: 1 }])
})

test('timers by processing time fire when time is moved on, not before, and once however often it dies', async () => {
  const reminding = defineJob('reminding', (job) => {
    job
      .from(orders)
      .keyBy('by-customer', (one) => one.customer)
      .process('remind', {
        output: output<{ customer: string }>(),
        onRecord: (context) => context.setProcessingTimer(context.record.appendTime + 5_000),
        onProcessingTimer: (context) => context.emit({ customer: context.key }),
        order: 'arrival',
      })
      .to(reminders)
  })
  await using kit = await TestKit.start(reminding, { startAt: now })
  await kit.send(orders, [order('ann', 1, 0)])
  await kit.advanceTime(4_000)
  await kit.crash()
  expect(await kit.output(reminders)).toEqual([])
  await kit.advanceTime(2_000)
  await kit.crash()
  await kit.advanceTime(10_000)
  expect((await kit.output(reminders)).map((row) => row.value)).toEqual([{ customer: 'ann' }])
})

test.each([{ parallelism: 1, settings: { sliceRecordsMax: 1 } }, { parallelism: 2 }, { parallelism: 3, settings: { sliceRecordsMax: 2 } }])(
  'a replay with %o gives what the first run gave',
  async (options) => {
    await using kit = await TestKit.start(job, { startAt: now, partitions: { orders: 3 } })
    for (const one of [...inOneHour, ...later]) {
      await kit.send(orders, [one])
      await kit.advanceTime(1_000)
    }
    await using again = await kit.replay(options)
    await kit.complete()
    await again.complete()
    expect(await results(again)).toEqual(await results(kit))
    expect((await again.raw('orders')).length).toBe(6)
  },
)

test('what stops the job is thrown to the test, each time, and closing does not hang', async () => {
  const failing = defineJob('failing', (job) => {
    job
      .from(orders)
      .map(
        () => {
          throw new Error('a mistake in the job')
        },
        { onBad: 'fail' },
      )
      .to(topic('out', { codec: 'json' }))
  })
  const kit = await TestKit.start(failing, { startAt: now })
  await kit.send(orders, [order('ann', 1, 1)])
  await expect(kit.settle()).rejects.toMatchObject({ code: 'OPERATOR_THREW' })
  await expect(kit.settle()).rejects.toMatchObject({ code: 'OPERATOR_THREW' })
  await expect(kit.complete()).rejects.toMatchObject({ code: 'OPERATOR_THREW' })
  await kit.close()
})

test('state is read as the job put it, also where it has a time to live; a state that there is not is told', async () => {
  const remembering = defineJob('remembering', (job) => {
    job
      .from(orders)
      .keyBy('by-customer', (one) => one.customer)
      .process('memory', {
        state: { last: value<number>({ ttl: '1h' }), sizes: map<number, string>({ ttl: '1h' }) },
        output: output<{ customer: string }>(),
        onRecord({ state }, { amount }) {
          state.last.put(amount)
          state.sizes.put(amount, 'seen')
        },
      })
      .to(reminders)
  })
  await using kit = await TestKit.start(remembering, { startAt: now })
  await kit.send(orders, [order('ann', 5, 1), order('zoe', 1, 30)])
  await kit.settle()
  expect(kit.state('memory', 'last', 'ann')).toBe(5)
  expect(kit.state('memory', 'sizes', 'ann', 5)).toBe('seen')
  expect(kit.state('memory', 'last', 'bob')).toBeUndefined()
  for (const [operator, name, ...mapKey] of [
    ['memori', 'last'],
    ['memory', 'lost'],
    ['memory', 'sizes'],
    ['memory', 'last', 5],
  ] as const)
    expect(() => kit.state(operator, name, 'ann', ...mapKey)).toThrow(
      expect.objectContaining({ code: 'JOB_INVALID', fix: expect.stringContaining('value memory/last, map memory/sizes') }),
    )
})

describe('a slip in a test is told, and does not look like a job that does nothing', () => {
  test.each([
    { partitions: { oders: 2 } },
    { partitions: { orders: 0 } },
    { parallelism: 1.5 },
    { startAt: 'yesterday' },
    { settings: { sliceRecordsMax: 0 } },
  ])('in the options: %o', async (options) => {
    await expect(TestKit.start(job, options)).rejects.toMatchObject({ code: 'JOB_INVALID' })
  })

  test.each([[Number.NaN], [-1], [10, 0], [10, -1]])('in how time is moved: %d %d', async (...steps) => {
    await using kit = await TestKit.start(job)
    await expect(kit.advanceTime(...(steps as [number, number?]))).rejects.toMatchObject({ code: 'JOB_INVALID' })
  })
})
