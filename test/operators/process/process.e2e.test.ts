import { expect, test } from 'vitest'
import { z } from 'zod'
import { TestKit } from '../../../deploy/testing/test-kit.ts'
import { count, defineJob, map, output, topic, tumbling, value } from '../../../index.ts'
import { Random } from '../../support/random.ts'

const orders = topic('orders', {
  value: z.object({ customer: z.string(), amount: z.number(), at: z.number() }),
  eventTime: (order) => order.at,
  outOfOrderness: 40,
  idleAfter: 'never',
})
const totals = topic('totals', {
  kind: 'table',
  value: z.object({ customer: z.string(), total: z.number(), orders: z.number(), silentAt: z.number().nullable() }),
  key: (row) => row.customer,
})
const large = topic('large', { value: z.object({ customer: z.string(), amount: z.number() }) })
const busiest = topic('busiest', { value: z.object({ at: z.number(), names: z.array(z.string()) }) })
const latest = topic('latest', { kind: 'table', codec: 'json' })

const job = defineJob('shop', (job) => {
  const byCustomer = job.from(orders).keyBy('by-customer', (order) => order.customer)
  const watched = byCustomer.process('watch', {
    state: { total: value<number>(), amounts: map<number, number>({ ttl: 200 }), silentAt: value<number>() },
    output: output<{ customer: string; total: number; orders: number; silentAt: number | null }>(),
    sideOutputs: { large: output<{ customer: string; amount: number }>() },
    onRecord(context, { amount, at }) {
      const { total, amounts, silentAt } = context.state
      total.put((total.get() ?? 0) + amount)
      amounts.put(at, amount)
      if (amount > 90) context.emitTo('large', { customer: context.key, amount })
      const before = silentAt.get()
      if (before !== undefined) context.deleteTimer(before, 'silent')
      silentAt.put(at + 50)
      context.setTimer(at + 50, { name: 'silent' })
      context.emit({ customer: context.key, total: total.get()!, orders: amounts.keys().length, silentAt: null })
    },
    onTimer(context, { at }) {
      const { total, amounts } = context.state
      context.emit({ customer: context.key, total: total.get()!, orders: amounts.keys().length, silentAt: at })
    },
  })
  watched.to(totals)
  watched.sideOutput('large').to(large)
  byCustomer.table('last-order').toStream().to(latest)
  // Results of windows of many tasks come together under one key: nothing but their content orders those of one time.
  byCustomer
    .window('hundreds', tumbling(100))
    .aggregate({ orders: count() })
    .filter((row) => row.orders > 1)
    .map((_, window) => ({ customer: window.key, end: window.end }))
    .keyBy('all', () => 'all')
    .process('names', {
      state: { names: value<{ end: number; names: string[] }>() },
      output: output<{ at: number; names: string[] }>(),
      onRecord({ state, emit }, { customer, end }) {
        const known = state.names.get()
        const names = known?.end === end ? [...known.names, customer] : [customer]
        state.names.put({ end, names })
        emit({ at: end, names })
      },
    })
    .to(busiest)
})

const sent = (seed: number) => {
  const random = new Random(seed)
  let now = 1_000
  return Array.from({ length: 150 }, () => {
    now += random.int(12)
    return { customer: `c${random.int(7)}`, amount: random.int(100), at: now - random.int(50) }
  })
}

/** What is in the topics in the end: tables by key, the other topics as they are but for the order of keys. */
async function results(kit: TestKit) {
  const sorted = (rows: readonly { readonly value: unknown }[]) => rows.map(({ value }) => JSON.stringify(value)).sort()
  return {
    totals: Object.fromEntries([...(await kit.table(totals))].sort()),
    latest: Object.fromEntries([...(await kit.table(latest))].sort()),
    updates: sorted(await kit.output(totals)),
    large: sorted(await kit.output(large)),
    busiest: sorted(await kit.output(busiest)),
    late: (await kit.late()).length,
  }
}

test.each([1, 2, 3])(
  'a job of processes and tables gives the same with 1 task and 3, with crashes and in one go (seed %i)',
  async (seed) => {
    const orderList = sent(seed)
    const runs = []
    for (const [parallelism, crashes] of [
      [1, false],
      [3, false],
      [1, true],
      [3, true],
    ] as const) {
      await using kit = await TestKit.start(job, { parallelism, partitions: { orders: 3 }, startAt: 1_000_000 })
      for (const [i, order] of orderList.entries()) {
        await kit.send(orders, [order], { partition: i % 3 })
        if (crashes && i % 40 === 20) await kit.settle()
        if (crashes && i % 40 === 30) await kit.crash()
      }
      await kit.complete()
      runs.push(await results(kit))
    }
    expect(runs[0]!.updates.length).toBeGreaterThan(150 - runs[0]!.late)
    expect(runs[0]!.busiest.length).toBeGreaterThan(5)
    expect(runs[0]!.large.length).toBeGreaterThan(3)
    for (const run of runs.slice(1)) expect({ ...run, latest: 0 }).toEqual({ ...runs[0], latest: 0 })
    for (const run of runs.slice(1)) expect(run.latest).toEqual(runs[0]!.latest)
  },
)
