import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BlockBuilder } from '../../engine/block/block-builder.ts'
import { codeOf } from '../../engine/errors.ts'
import { MemoryLog } from '../../engine/log/memory/memory-log.ts'
import { readRecords } from '../../engine/log/read-records.ts'
import type { Commit, Log, Producer } from '../../engine/ports/log.ts'
import type { ControlEvent } from '../../replay/control-event.ts'
import { decide } from '../../replay/control-log.ts'
import { nothingDecided } from '../../replay/control-state.ts'
import { deadLetters, decideLetters, openLetters } from '../../replay/dead-letters.ts'
import { FaultyLog, noFaults } from '../support/faulty-log.ts'
import { runsOf } from '../support/lane.ts'
import { PassThroughLog } from '../support/pass-through-log.ts'

const clock = { now: () => 7, monotonic: () => 0, sleep: async () => {}, yield: async () => {} }
const all = { chosen: () => true, retryPartition: () => 0, at: 9 }

/** A log that holds so many dead letters of the job `shop`. */
async function logWith(letters: number, bytes = 10): Promise<MemoryLog> {
  const log = new MemoryLog({ clock })
  await log.createTopic({ name: 'shop.v1.retry', partitions: 1, kind: 'internal' })
  await log.createTopic({ name: 'shop.dead-letters', partitions: 1, kind: 'stream' })
  const builder = new BlockBuilder()
  const header = (name: string, text: string) => ({ name, value: Buffer.from(text) })
  for (let i = 0; i < letters; i++) {
    const place = [header('reprise.topic', 'orders'), header('reprise.partition', '2'), header('reprise.offset', String(i * 3))]
    const headers = [header('trace', `t${i}`), header('reprise.code', 'OPERATOR_THREW'), ...place]
    builder.add({ key: Buffer.from(`k${i}`), value: Buffer.alloc(bytes, i), eventTime: i, headers })
  }
  const producer = await log.producer('test')
  const appends = [{ topic: 'shop.dead-letters', partition: 0, block: builder.finish() }]
  await producer.commit({ expect: { seq: 0, hash: '' }, next: { seq: 1, hash: '' }, appends })
  return log
}

async function retried(log: Log): Promise<string[]> {
  const found: string[] = []
  for await (const { headers, key } of readRecords(log, 'shop.v1.retry', 0, 0)) {
    found.push(`${Buffer.from(key!)} ${headers.map(({ name, value }) => `${name}=${Buffer.from(value)}`).join(' ')}`)
  }
  return found
}

const place = (i: number) => `k${i} trace=t${i} reprise.topic=orders reprise.partition=2 reprise.offset=${i * 3}`

test('a retried record is the original with its own headers and its place; the error of before is gone', async () => {
  const log = await logWith(2)
  expect(await decideLetters(log, 'shop', { ...all, type: 'retried' })).toEqual([0, 1])
  expect(await retried(log)).toEqual([place(0), place(1)])
})

test('retried is by the version that publishes, not by one that replays', async () => {
  const log = await logWith(1)
  const version = { type: 'registered', at: 1, sha256: '', parallelism: 1, fingerprint: '' } as const
  let control = await decide(log, 'shop', nothingDecided, { ...version, version: 1 })
  control = await decide(log, 'shop', control, { ...version, version: 2 })
  await log.createTopic({ name: 'shop.v2.retry', partitions: 1, kind: 'internal' })
  await decideLetters(log, 'shop', { ...all, type: 'retried' })
  expect(await retried(log)).toEqual([place(0)])
  expect(log.bounds('shop.v2.retry', 0).end).toBe(0)
})

/** A job whose v1 publishes and whose v2 has caught up, so many letters, and a cut-over under way. */
async function switched(letters: number, bytes?: number) {
  const log = await logWith(letters, bytes)
  await log.createTopic({ name: 'shop.v2.retry', partitions: 1, kind: 'internal' })
  let control = nothingDecided
  const say = async (event: ControlEvent) => {
    control = await decide(log, 'shop', control, event)
  }
  for (const version of [1, 2]) await say({ type: 'registered', at: 1, sha256: '', parallelism: 1, fingerprint: '', version })
  const hold = () => say({ type: 'holdRequested', at: 2, id: 'a', from: 1, to: 2 })
  const cut = () => say({ type: 'cutOver', at: 3, id: 'a', from: 1, to: 2, positions: {}, watermark: null, processing: 0, ends: {} })
  return { log, say, hold, cut }
}

test('retried is by the version that publishes at that moment, wherever a cut-over comes in between', async () => {
  for (let before = 1; before <= 3; before++) {
    // Each a commit of its own.
    const { log: inner, hold, cut } = await switched(3, 1 << 20)
    let commits = 0
    const log = new (class extends PassThroughLog {
      override async producer(id: string): Promise<Producer> {
        const producer = await this.inner.producer(id)
        const commit = async (what: Commit) => {
          if (++commits === before) {
            await hold()
            await cut()
          }
          return producer.commit(what)
        }
        return { ...producer, commit }
      }
    })(inner)
    expect(await decideLetters(log, 'shop', { ...all, type: 'retried' })).toEqual([0, 1, 2])
    expect([1, 2].map((version) => inner.bounds(`shop.v${version}.retry`, 0).end)).toEqual([before - 1, 4 - before])
  }
})

test('nothing is retried while a cut-over holds the version that publishes, nor by one that takes nothing; dropped it is', async () => {
  const { log, say, hold, cut } = await switched(2)
  const refused = (reason: RegExp) =>
    expect(decideLetters(log, 'shop', { ...all, type: 'retried' })).rejects.toMatchObject({
      code: 'VERSION_STATE',
      details: { reason: expect.stringMatching(reason) },
    })
  await hold()
  await refused(/v2 is about to take over/)
  expect(await decideLetters(log, 'shop', { ...all, type: 'dropped', chosen: ({ id }) => id === 0 })).toEqual([0])
  await cut()
  await say({ type: 'stopped', at: 4, version: 2, code: 'OPERATOR_THREW' })
  await refused(/it is stopped/)
  await say({ type: 'resumed', at: 5, version: 2 })
  expect(await decideLetters(log, 'shop', { ...all, type: 'retried' })).toEqual([1])
  expect(log.bounds('shop.v2.retry', 0).end).toBe(1)
})

test('decided again, by whichever decision, nothing is retried', async () => {
  const log = await logWith(3)
  await decideLetters(log, 'shop', { ...all, type: 'dropped', chosen: ({ id }) => id === 1 })
  expect(await decideLetters(log, 'shop', { ...all, type: 'retried' })).toEqual([0, 2])
  expect(await decideLetters(log, 'shop', { ...all, type: 'retried' })).toEqual([])
  expect(await decideLetters(log, 'shop', { ...all, type: 'dropped' })).toEqual([])
  expect(await retried(log)).toEqual([place(0), place(2)])
})

test('the open ones are those that nothing was decided about', async () => {
  const log = await logWith(5)
  expect([openLetters(log, 'shop'), openLetters(log, 'another')]).toEqual([5, 0])
  await decideLetters(log, 'shop', { ...all, type: 'dropped', chosen: ({ id }) => id === 1 })
  expect(openLetters(log, 'shop')).toBe(4)
  await decideLetters(log, 'shop', { ...all, type: 'retried', chosen: ({ id }) => id < 3 })
  expect(openLetters(log, 'shop')).toBe(2)
})

test('interrupted by whatever fault, each record is retried once, and decided if and only if it was retried', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 1, max: 12 }), async (seed, count) => {
      const inner = await logWith(count, 400_000)
      const rates = { ...noFaults, commitRefused: 0.2, answerLost: 0.2, commitLost: 0.2, openFailed: 0.1 }
      const log = new FaultyLog(inner, { seed, rates })
      for (let runs = 0; ; runs++) {
        if (runs === 100) log.rates = noFaults
        try {
          await decideLetters(log, 'shop', { ...all, type: 'retried' })
          break
        } catch (error) {
          expect(codeOf(error)).toMatch(/LOG_UNAVAILABLE|COMMIT_OUTCOME_UNKNOWN/)
        }
        const decided: string[] = []
        for await (const { id, decision } of deadLetters(inner, 'shop')) if (decision !== undefined) decided.push(place(id))
        expect(await retried(inner)).toEqual(decided)
      }
      expect(await retried(inner)).toEqual(Array.from({ length: count }, (_, i) => place(i)))
    }),
    { numRuns: runsOf(30) },
  )
})
