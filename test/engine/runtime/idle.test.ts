import { TestKit } from 'reprise/testing'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { ManualClock } from '../../../deploy/testing/manual-clock.ts'
import { BlockBuilder } from '../../../engine/block/block-builder.ts'
import { MemoryLog } from '../../../engine/log/memory/memory-log.ts'
import { noMetrics, noProbe, silentLogger } from '../../../engine/ports/world.ts'
import { runJob } from '../../../engine/runtime/job-run.ts'
import { readJournal } from '../../../engine/runtime/recover.ts'
import { defaultRuntimeSettings } from '../../../engine/runtime/settings.ts'
import { noPresent } from '../../../engine/task/present.ts'
import { count, defineJob, topic, tumbling } from '../../../index.ts'
import { stateInMemory } from '../../support/task-state.ts'

const numbers = topic('numbers', { value: z.object({ n: z.number() }), eventTime: ({ n }) => n, idleAfter: '5s' })
const copies = topic('copies', { value: z.object({ n: z.number() }) })
const job = defineJob('copying', (builder) => builder.from(numbers).to(copies))

test("a partition's time to be idle runs only while the task waits at its end, not while a commit holds the task up", async () => {
  const clock = new ManualClock(1000)
  let release = () => {}
  let held = 0
  let holding = true
  // The commits of the task, not those of the test: it holds nothing back before the task runs.
  const deliver = async () => {
    if (!holding || !running) return
    held++
    await new Promise<void>((resolve) => {
      release = resolve
    })
  }
  let running = false
  const log = new MemoryLog({ clock, deliver })
  await log.createTopic({ name: 'numbers', partitions: 2, kind: 'stream' })
  const feeder = await log.producer('feeder')
  const feed = async (seq: number, values: readonly number[]) => {
    const builder = new BlockBuilder()
    for (const n of values) builder.add({ key: null, value: Buffer.from(JSON.stringify({ n })), eventTime: n })
    const end = (at: number) => ({ seq: at, hash: '' })
    await feeder.commit({ expect: end(seq - 1), next: end(seq), appends: [{ topic: 'numbers', partition: 0, block: builder.finish() }] })
  }
  await feed(1, [1, 2, 3])
  running = true
  const stop = new AbortController()
  let waits = 0
  const done = runJob({
    load: () => ({ topology: job, present: noPresent() }),
    version: 1,
    parallelism: 1,
    log,
    openState: async () => stateInMemory('copying', clock),
    clock,
    logger: silentLogger,
    metrics: noMetrics,
    probe: noProbe,
    settings: { ...defaultRuntimeSettings, sliceRecordsMax: 1, commitsInFlightMax: 1, checkpointEveryMs: 1e9 },
    until: 'stopped',
    stop: stop.signal,
    onWait: () => waits++,
  })
  await until(() => held === 1)
  clock.advance(60_000)
  holding = false
  release()
  await until(() => waits > 0)
  const idleOf = async () => (await readJournal(log, 'copying.v1.journal', 0)).map(({ record }) => record.slice.idle)
  expect(await idleOf()).toEqual([[], [], []])
  // Now it waits at both ends. A record for the one leaves the other's time running: five seconds of waiting make it idle, and only it.
  const before = waits
  clock.advance(4_000)
  await until(() => waits > before)
  await feed(2, [4])
  await until(async () => (await idleOf()).length === 4)
  expect((await idleOf()).flat()).toEqual([])
  const then = waits
  await until(() => waits > then || waits > before + 1)
  clock.advance(1_001)
  await until(async () => (await idleOf()).length === 5)
  expect((await idleOf())[4]).toEqual([1])
  stop.abort()
  await done
})

const counted = topic('counted', { value: z.object({ end: z.number(), n: z.number() }) })
const counting = defineJob('counting', (builder) => {
  builder
    .from(numbers)
    .keyBy('by-n', ({ n }) => n % 5)
    .window('tens', tumbling('10ms'))
    .aggregate({ n: count() })
    .map(({ n }, { end }) => ({ end, n }))
    .to(counted)
})

/** What it gave of 30 numbers, of one partition alone, before and after the others count as idle. */
async function givenBy(parallelism: number, others: readonly number[]): Promise<string[][]> {
  await using kit = await TestKit.start(counting, { partitions: { numbers: 3 }, parallelism })
  const given = async () => (await kit.output(counted)).map(({ value }) => JSON.stringify(value)).sort()
  for (const partition of others) await kit.send(numbers, [{ n: 1 }], { partition })
  for (let n = 1; n <= 30; n++) await kit.send(numbers, [{ n }], { partition: 0 })
  await kit.settle()
  const before = await given()
  await kit.advanceTime(6000)
  await kit.send(numbers, [{ n: 31 }], { partition: 0 })
  await kit.settle()
  return [before, await given()]
}

test.each([
  ['have gone quiet', [1, 2]],
  ['never had a record', []],
])('partitions that %s hold up no task of the next stage, also where a task has no others', async (_, others) => {
  const alone = await givenBy(1, others)
  expect(alone.map(({ length }) => length)).toEqual([0, 15])
  expect(await givenBy(2, others)).toEqual(alone)
  expect(await givenBy(3, others)).toEqual(alone)
})

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let turns = 0; turns < 5000; turns++) {
    if (await condition()) return
    await new Promise((resolve) => setImmediate(resolve))
  }
  throw new Error('it did not come to that')
}
