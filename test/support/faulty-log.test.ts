import { expect, test } from 'vitest'
import { codeOf } from '../../engine/errors.ts'
import { MemoryLog } from '../../engine/log/memory/memory-log.ts'
import { append, numbers, record, streamTopic, valuesOf, Writer } from '../contract/log/records.ts'
import { type FaultRates, FaultyLog, noFaults } from './faulty-log.ts'

const clock = { now: () => 1, monotonic: () => 1, sleep: async () => {}, yield: async () => {} }

async function faulty(rates?: FaultRates, seed = 1) {
  const inner = new MemoryLog({ clock })
  await streamTopic(inner)
  const log = new FaultyLog(inner, rates === undefined ? { seed } : { seed, rates })
  return { inner, log }
}

test.each([
  ['commitRefused', 'LOG_UNAVAILABLE', 0],
  ['answerLost', 'COMMIT_OUTCOME_UNKNOWN', 1],
  ['commitLost', 'COMMIT_OUTCOME_UNKNOWN', 0],
] as const)('%s answers %s and leaves %i records', async (fault, code, count) => {
  const { inner, log } = await faulty({ ...noFaults, [fault]: 1 })
  const writer = await Writer.open(log)
  await expect(writer.send(append('orders', 0, record(0)))).rejects.toMatchObject({ code, details: { injected: true } })
  expect(inner.bounds('orders', 0).end).toBe(count)
  expect(log.faults).toBe(1)
})

test('a refusal of the log itself is told as it is, also when the answer would have been lost', async () => {
  const { log } = await faulty({ ...noFaults, answerLost: 1 })
  const old = await Writer.open(log)
  await log.producer('writer')
  await expect(old.send()).rejects.toMatchObject({ code: 'COMMIT_FENCED' })
})

test('a failed opening may have fenced the older holders', async () => {
  const fenced = await Promise.all(
    numbers(0, 20).map(async (seed) => {
      const { log } = await faulty(noFaults, seed)
      const old = await Writer.open(log)
      log.rates = { ...noFaults, openFailed: 1 }
      await expect(log.producer('writer')).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' })
      return old.send().then(
        () => false,
        (error) => codeOf(error) === 'COMMIT_FENCED',
      )
    }),
  )
  expect(new Set(fenced)).toEqual(new Set([true, false]))
})

test('a failed read leaves the reader where it was', async () => {
  const { log } = await faulty({ ...noFaults, readFailed: 1 })
  await (await Writer.open(log)).send(append('orders', 0, record(0)))
  const reader = log.reader('orders', 0, 0)
  await expect(reader.read(1000)).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' })
  expect(reader.position).toBe(0)
  log.rates = noFaults
  expect((await reader.read(1000))!.blocks.length).toBe(1)
  expect(reader.position).toBe(1)
})

test('delays do not change the order of commits', async () => {
  for (const seed of numbers(0, 20)) {
    const { inner, log } = await faulty(noFaults, seed)
    const writer = await Writer.open(log)
    await Promise.all(numbers(0, 10).map((n) => writer.send(append('orders', 0, record(n)))))
    expect(await valuesOf(inner, 'orders')).toEqual(numbers(0, 10).map((n) => `value-${n}`))
  }
})

test('the same seed gives the same faults, another gives others', async () => {
  const run = async (seed: number) => {
    const { log } = await faulty(undefined, seed)
    const outcomes: string[] = []
    for (const n of numbers(0, 60)) {
      try {
        await (await Writer.open(log)).send(append('orders', 0, record(n)))
        outcomes.push('taken')
      } catch (error) {
        outcomes.push(codeOf(error)!)
      }
    }
    return outcomes
  }
  const first = await run(7)
  expect(await run(7)).toEqual(first)
  expect(await run(8)).not.toEqual(first)
  expect(new Set(first)).toEqual(new Set(['taken', 'LOG_UNAVAILABLE', 'COMMIT_OUTCOME_UNKNOWN']))
})
