import { expect, test } from 'vitest'
import { ManualClock } from '../../../deploy/testing/manual-clock.ts'
import { appendRecords } from '../../../engine/log/append-records.ts'
import { MemoryLog } from '../../../engine/log/memory/memory-log.ts'
import type { NewRecord } from '../../../engine/model/record.ts'
import { record, records, streamTopic } from '../../contract/log/records.ts'
import { FaultyLog, noFaults } from '../../support/faulty-log.ts'

const source = { id: 'pipe', topic: 'orders' }
const turn = () => new Promise((resolve) => setImmediate(resolve))

/** A source that gives what it is told to, and then waits. */
function pipe() {
  const given: NewRecord[] = []
  let wake = () => {}
  let ended = false
  async function* come() {
    for (;;) {
      while (given.length > 0) yield given.shift()!
      if (ended) return
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  return {
    come: come(),
    async give(...more: NewRecord[]) {
      given.push(...more)
      wake()
      await turn()
    },
    async end() {
      ended = true
      wake()
    },
  }
}

async function started() {
  const clock = new ManualClock(1_000)
  const log = new MemoryLog({ clock })
  await streamTopic(log, 'orders', 1)
  const { come, give, end } = pipe()
  const told: number[] = []
  const result = appendRecords(log, { ...source, records: come, flush: { clock, afterMs: 200 }, onCommitted: (seq) => told.push(seq) })
  await turn()
  const pass = async (ms: number) => {
    clock.advance(ms)
    await turn()
  }
  return { log, give, end, pass, told, result, stands: () => log.bounds('orders', 0).end }
}

test('a record that nothing follows is durable after the time for it, and not before', async () => {
  const { give, end, pass, stands, told, result } = await started()
  await give(record(1))
  await pass(199)
  expect(stands()).toBe(0)
  await pass(1)
  expect([stands(), told]).toEqual([1, [1]])
  await pass(1000)
  await give(record(2))
  await pass(150)
  await give(record(3))
  await pass(50)
  expect([stands(), told]).toEqual([3, [1, 3]])
  await pass(1000)
  expect(told).toEqual([1, 3])
  await give(record(4))
  await end()
  expect(await result).toEqual({ skipped: 0, added: 4 })
  expect(stands()).toBe(4)
})

test('records are the same, and known by the same, whether they trickled or came at once', async () => {
  const { log, give, end, pass, result } = await started()
  for (const one of records(0, 10)) {
    await give(one)
    await pass(120)
  }
  await end()
  await result
  expect(await appendRecords(log, { ...source, records: records(0, 12) })).toEqual({ skipped: 10, added: 2 })
})

test('a commit that failed while the source was waited for is told at the next record', async () => {
  const clock = new ManualClock(1_000)
  const log = new FaultyLog(new MemoryLog({ clock }), { seed: 1, rates: noFaults })
  await streamTopic(log, 'orders', 1)
  const { come, give } = pipe()
  const result = appendRecords(log, { ...source, records: come, flush: { clock, afterMs: 200 } })
  const failed = expect(result).rejects.toMatchObject({ code: 'COMMIT_FENCED' })
  await turn()
  await give(record(1))
  await log.producer(source.id)
  clock.advance(200)
  await turn()
  await give(record(2))
  await failed
})
