import fc from 'fast-check'
import { expect, test } from 'vitest'
import { codeOf } from '../../../engine/errors.ts'
import { appendRecords } from '../../../engine/log/append-records.ts'
import { MemoryLog } from '../../../engine/log/memory/memory-log.ts'
import { partitionOf } from '../../../engine/log/partitioner.ts'
import { readRecords } from '../../../engine/log/read-records.ts'
import type { NewRecord } from '../../../engine/model/record.ts'
import type { Log } from '../../../engine/ports/log.ts'
import { numbers, plain, record, records, streamTopic } from '../../contract/log/records.ts'
import { FaultyLog, noFaults } from '../../support/faulty-log.ts'
import { runsOf } from '../../support/lane.ts'

const clock = { now: () => 7, monotonic: () => 0, sleep: async () => {}, yield: async () => {} }
const source = { id: 'ingest/flights', topic: 'orders' }

async function memoryLog(partitions = 3): Promise<MemoryLog> {
  const log = new MemoryLog({ clock })
  await streamTopic(log, 'orders', partitions)
  return log
}

async function all(log: Log): Promise<NewRecord[][]> {
  const found: NewRecord[][] = []
  for (const partition of numbers(0, log.topic('orders')!.partitions)) {
    found[partition] = []
    for await (const one of readRecords(log, 'orders', partition, 0)) found[partition]!.push(one)
  }
  return found
}

/** Where the default puts them, in order. */
function dealt(content: readonly NewRecord[], partitions: number): NewRecord[][] {
  const to = ({ key }: NewRecord, n: number) => (key === null ? n % partitions : partitionOf(key, 0, key.length, partitions))
  return numbers(0, partitions).map((partition) => content.filter((one, n) => to(one, n) === partition))
}

function large(n: number): NewRecord {
  return { ...record(n), value: Buffer.alloc(300_000, n) }
}

test('each record goes to the partition of its key, in order; without a key they take turns', async () => {
  const log = await memoryLog()
  const content = records(0, 50).map((one, n) =>
    n % 5 === 0 ? { ...one, key: null } : { ...one, headers: [{ name: 'n', value: Buffer.from([n]) }] },
  )
  expect(await appendRecords(log, { ...source, records: content })).toEqual({ skipped: 0, added: 50 })
  const found = await all(log)
  expect(found.map((one) => one.map(plain))).toEqual(dealt(content, 3).map((one) => one.map(plain)))
  expect(found.every((one) => one.length > 0)).toBe(true)
})

test('the caller may choose the partition', async () => {
  const log = await memoryLog()
  await appendRecords(log, { ...source, records: records(0, 9), partition: (_, seq, partitions) => (seq + 1) % partitions })
  expect((await all(log)).map((one) => one.map((each) => each.eventTime % 100))).toEqual([
    [2, 5, 8],
    [0, 3, 6],
    [1, 4, 7],
  ])
})

test('the same records taken in again add nothing, and more behind them add those', async () => {
  const log = await memoryLog()
  expect(await appendRecords(log, { ...source, records: [] })).toEqual({ skipped: 0, added: 0 })
  expect(await appendRecords(log, { ...source, records: records(0, 20) })).toEqual({ skipped: 0, added: 20 })
  expect(await appendRecords(log, { ...source, records: records(0, 20) })).toEqual({ skipped: 20, added: 0 })
  expect(await appendRecords(log, { ...source, records: records(0, 25) })).toEqual({ skipped: 20, added: 5 })
  expect(await appendRecords(log, { ...source, id: 'another source', records: records(0, 1) })).toEqual({ skipped: 0, added: 1 })
  expect((await all(log)).flat().length).toBe(26)
})

test.each([
  ['a value', { ...record(3), value: Buffer.from('other') }],
  ['a key', { ...record(3), key: Buffer.from('other') }],
  ['having a key', { ...record(3), key: null }],
  ['an event time', { ...record(3), eventTime: 4 }],
  ['headers', { ...record(3), headers: [{ name: 'a', value: Buffer.alloc(0) }] }],
])('a source that differs in %s of a record taken in before is refused, and nothing is added', async (_, changed) => {
  // One partition, so that another key does not show by where it goes.
  const log = await memoryLog(1)
  await appendRecords(log, { ...source, records: records(0, 10) })
  const other = records(0, 20).with(3, changed)
  await expect(appendRecords(log, { ...source, records: other })).rejects.toMatchObject({
    code: 'INGEST_SOURCE_CHANGED',
    details: { taken: 10, found: 10 },
  })
  expect((await all(log)).flat().length).toBe(10)
})

test('a source with fewer records than were taken in, or into another topic, is refused', async () => {
  const log = await memoryLog()
  await streamTopic(log, 'others', 3)
  await appendRecords(log, { ...source, records: records(0, 10) })
  const refused = { code: 'INGEST_SOURCE_CHANGED' }
  await expect(appendRecords(log, { ...source, records: records(0, 9) })).rejects.toMatchObject({
    ...refused,
    details: { taken: 10, found: 9 },
  })
  await expect(appendRecords(log, { ...source, topic: 'others', records: records(0, 10) })).rejects.toMatchObject(refused)
  await expect(appendRecords(log, { ...source, topic: 'nowhere', records: [] })).rejects.toMatchObject({ code: 'TOPIC_UNKNOWN' })
})

test('a source that throws half way leaves what was committed, and the next run adds the rest', async () => {
  const log = await memoryLog()
  async function* broken() {
    for (const n of numbers(0, 20)) {
      yield large(n)
      if (n === 13) throw new Error('the file ended early')
    }
  }
  await expect(appendRecords(log, { ...source, records: broken() })).rejects.toThrow('the file ended early')
  const { skipped, added } = await appendRecords(log, { ...source, records: numbers(0, 20).map(large) })
  expect([skipped > 0, skipped <= 14, skipped + added]).toEqual([true, true, 20])
  expect(
    (await all(log))
      .flat()
      .map((one) => one.eventTime)
      .sort((a, b) => a - b),
  ).toEqual(numbers(0, 20).map((n) => record(n).eventTime))
})

test('tells how many records are durable, rising, the last time all of them', async () => {
  const log = await memoryLog()
  const told: number[] = []
  await appendRecords(log, { ...source, records: numbers(0, 12).map(large), onCommitted: (seq) => told.push(seq) })
  expect(told.at(-1)).toBe(12)
  expect(told.length).toBeGreaterThan(2)
  expect(told).toEqual([...new Set(told)].sort((a, b) => a - b))
})

test('however often it is interrupted, by whatever fault, each record is taken in once and in order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 0, max: 40 }), async (seed, count) => {
      const inner = await memoryLog(2)
      const log = new FaultyLog(inner, {
        seed,
        rates: { ...noFaults, commitRefused: 0.2, answerLost: 0.2, commitLost: 0.2, openFailed: 0.1 },
      })
      const content = numbers(0, count).map(large)
      for (let runs = 0; ; runs++) {
        if (runs === 100) log.rates = noFaults
        try {
          await appendRecords(log, { ...source, records: content })
          break
        } catch (error) {
          expect(codeOf(error)).toMatch(/LOG_UNAVAILABLE|COMMIT_OUTCOME_UNKNOWN/)
        }
      }
      expect((await all(inner)).map((one) => one.map((each) => each.eventTime))).toEqual(
        dealt(content, 2).map((one) => one.map((each) => each.eventTime)),
      )
    }),
    { numRuns: runsOf(40) },
  )
})

test('told to stop, what was taken is durable, and the next call takes the rest', async () => {
  const log = await memoryLog()
  const content = records(0, 20)
  for (const [at, already] of [
    [7, 0],
    // Stopped among those that were taken already: they are not compared to the end.
    [3, 7],
    [12, 7],
  ] as const) {
    const stop = new AbortController()
    function* stopped() {
      for (const [n, one] of content.entries()) {
        if (n === at) stop.abort()
        yield one
      }
    }
    expect(await appendRecords(log, { ...source, records: stopped(), stop: stop.signal })).toEqual({
      skipped: already,
      added: Math.max(0, at - already),
    })
  }
  expect(await appendRecords(log, { ...source, records: content })).toEqual({ skipped: 12, added: 8 })
  expect((await all(log)).map((one) => one.map(plain))).toEqual(dealt(content, 3).map((one) => one.map(plain)))
})
