import { expect } from 'vitest'
import type { LogTest } from './harness.ts'
import { append, numbers, readAll, record, records, streamTopic, values, valuesOf, Writer } from './records.ts'

export function boundsContract(test: LogTest): void {
  test('when a commit is answered, bounds show it and readers read it', async ({ log }) => {
    await streamTopic(log)
    const writer = await Writer.open(log)
    for (const n of numbers(0, 10)) {
      await writer.send(append('orders', 0, record(2 * n), record(2 * n + 1)))
      expect(log.bounds('orders', 0)).toEqual({ start: 0, end: 2 * n + 2 })
      expect(await valuesOf(log, 'orders', 0, 2 * n)).toEqual(values(2 * n, 2 * n + 2))
    }
  })

  test('what bounds show can be read at once, also while commits are under way', async ({ log }) => {
    await streamTopic(log)
    const writer = await Writer.open(log)
    const all = Promise.all(numbers(0, 50).map((n) => writer.send(append('orders', 0, record(n)))))
    for (let end = 0; end < 50; ) {
      const seen = log.changes()
      end = log.bounds('orders', 0).end
      const found = await valuesOf(log, 'orders')
      expect(found.slice(0, end)).toEqual(values(0, end))
      if (end < 50) await log.changed(seen)
    }
    await all
  })

  test('waiting for a change ends with the next change of any bounds', async ({ log }) => {
    await streamTopic(log, 'orders', 2)
    const writer = await Writer.open(log)
    const changes = [
      () => writer.send(append('orders', 1, record(1))),
      () => log.trim('orders', 1, 1),
      () => writer.send(append('orders', 0, record(1)), append('orders', 1, record(2))),
    ]
    for (const change of changes) {
      const seen = log.changes()
      let woken = 0
      const waits = [0, 1, 2].map(() => log.changed(seen).then(() => woken++))
      await new Promise((resolve) => setTimeout(resolve, 5))
      expect(woken).toBe(0)
      await change()
      await Promise.all(waits)
      expect(log.changes()).toBeGreaterThan(seen)
    }
  })

  test('waiting for a change that has been already ends at once', async ({ log }) => {
    await streamTopic(log)
    const seen = log.changes()
    await (await Writer.open(log)).send(append('orders', 0, record(1)))
    await log.changed(seen)
  })

  test('waiting for a change ends when the signal aborts', async ({ log }) => {
    await streamTopic(log)
    const stop = new AbortController()
    const wait = log.changed(log.changes(), stop.signal)
    stop.abort()
    await wait
    await log.changed(log.changes(), stop.signal)
  })

  test('no record above the end seen after asking the clock is below that time', async ({ log }) => {
    await streamTopic(log)
    const writer = await Writer.open(log)
    const seen: { time: number; end: number }[] = []
    const sends: Promise<unknown>[] = []
    for (const n of numbers(0, 60)) {
      sends.push(writer.send(append('orders', 0, record(n))))
      const time = log.clock()
      seen.push({ time, end: log.bounds('orders', 0).end })
      if (n % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    }
    await Promise.all(sends)
    const times = (await readAll(log, 'orders')).map((one) => one.appendTime)
    for (const { time, end } of seen) for (const appendTime of times.slice(end)) expect(appendTime).toBeGreaterThanOrEqual(time)
    expect(seen.map((one) => one.time)).toEqual(seen.map((one) => one.time).sort((a, b) => a - b))
  })

  test('append times are whole numbers and never go back, over partitions, producers and restarts', async (open) => {
    await streamTopic(open.log, 'orders', 2)
    let { log } = open
    let last = 0
    for (const n of numbers(0, 12)) {
      if (n === 6) {
        last = Math.max(last, log.clock())
        log = await open.reopen()
        expect(log.clock()).toBeGreaterThanOrEqual(last)
      }
      const { appendTime } = await (await Writer.open(log, `writer-${n % 2}`)).send(append('orders', n % 2, ...records(0, 2)))
      expect(Number.isInteger(appendTime)).toBe(true)
      expect(appendTime).toBeGreaterThanOrEqual(last)
      last = appendTime
      expect(log.clock()).toBeGreaterThanOrEqual(last)
    }
  })
}
