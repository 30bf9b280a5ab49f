import { expect, test } from 'vitest'
import { z } from 'zod'
import { ManualClock } from '../../../deploy/testing/manual-clock.ts'
import { BlockBuilder } from '../../../engine/block/block-builder.ts'
import { StreamError } from '../../../engine/errors.ts'
import { MemoryLog } from '../../../engine/log/memory/memory-log.ts'
import { type Labels, type Metrics, noProbe, silentLogger } from '../../../engine/ports/world.ts'
import { runJob } from '../../../engine/runtime/job-run.ts'
import { defaultRuntimeSettings, type RuntimeSettings } from '../../../engine/runtime/settings.ts'
import { noSteering, type Orders } from '../../../engine/runtime/steering.ts'
import { noPresent } from '../../../engine/task/present.ts'
import { defineJob, topic } from '../../../index.ts'
import { stateInMemory } from '../../support/task-state.ts'

const numbers = topic('numbers', { value: z.object({ n: z.number() }), eventTime: ({ n }) => n })
const copies = topic('copies', { value: z.object({ n: z.number() }) })
const job = defineJob('copying', (builder) => builder.from(numbers).to(copies))

/** Runs the job over records of two append times, 4 s and 1 s old by then; a commit takes half a second. @returns what the metrics were told. */
async function run({ publishes = true, refusedCommits = 0, settings = {} as Partial<RuntimeSettings> } = {}) {
  const clock = new Impatient(100_000)
  let running = false
  let looks = 0
  const deliver = async () => {
    if (!running) return
    // Until the task looks for its next slice.
    for (const before = looks; looks === before; ) await clock.yield()
    clock.advance(500)
    if (refusedCommits-- > 0) throw new StreamError('LOG_UNAVAILABLE', { reason: 'a fault' })
  }
  const log = new MemoryLog({ clock, deliver })
  await log.createTopic({ name: 'numbers', partitions: 2, kind: 'stream' })
  const feeder = await log.producer('feeder')
  for (const partition of [0, 1]) {
    const builder = new BlockBuilder()
    for (const n of [1, 2]) builder.add({ key: null, value: Buffer.from(JSON.stringify({ n })), eventTime: n })
    const end = (seq: number) => ({ seq, hash: '' })
    await feeder.commit({
      expect: end(partition),
      next: end(partition + 1),
      appends: [{ topic: 'numbers', partition, block: builder.finish() }],
    })
    clock.advance(partition === 0 ? 3000 : 1000)
  }
  running = true
  const told: { call: string; name: string; labels: Labels; value: number }[] = []
  const tell = (call: string) => (name: string, labels: Labels, value: number) => void told.push({ call, name, labels, value })
  const metrics: Metrics = { add: tell('add'), set: tell('set'), observe: tell('observe') }
  const orders = (): Orders => {
    looks++
    return { control: 1, publishes }
  }
  const latencies: (number | undefined)[] = []
  await runJob({
    load: () => ({ topology: job, present: noPresent() }),
    version: 1,
    parallelism: 1,
    steering: { ...noSteering, orders, report: (_, facts) => void latencies.push(facts.latencyMs) },
    log,
    openState: async () => stateInMemory('copying', clock),
    clock,
    logger: silentLogger,
    metrics,
    probe: noProbe,
    settings: { ...defaultRuntimeSettings, retryBackoffMs: 0, ...settings },
    until: 'end',
    stop: new AbortController().signal,
  })
  const seriesOf = (name: string) => told.filter((one) => one.name === name).map(({ labels, value }) => ({ ...labels, value }))
  return Object.assign(seriesOf, { latencies })
}

/** Nobody moves it while the task waits to try again. */
class Impatient extends ManualClock {
  override sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return ms === 0 ? this.yield() : super.sleep(ms, signal)
  }
}

const v1 = { job: 'copying', version: 'v1' }

test('the latency of a slice is that of its oldest record, until its commit is acknowledged', async () => {
  const told = await run()
  expect(told('reprise_end_to_end_latency_seconds')).toEqual([{ ...v1, value: 4.5 }])
  // The first tells of where it begins.
  expect(told.latencies).toEqual([undefined, 4500])
  expect(told('reprise_commit_duration_seconds')).toEqual([{ ...v1, value: 0.5 }])
  expect(told('reprise_processing_duration_seconds')).toEqual([{ ...v1, value: 0 }])
  expect(told('reprise_last_record_processed_timestamp_seconds').at(-1)).toEqual({ ...v1, value: 104.5 })
  expect(told('reprise_restore_duration_seconds')).toHaveLength(1)
  expect(told('reprise_errors_total')).toEqual([])
})

test('the time a slice waits for commits under way is counted; a task that always has room has waited 0 s', async () => {
  const waitedIn = async (commitsInFlightMax: number) => {
    const told = await run({ settings: { sliceRecordsMax: 1, commitsInFlightMax } })
    expect(told('reprise_commits_total')).toHaveLength(1 + 2)
    return told('reprise_backpressured_seconds_total')
  }
  // The second slice waits half a second for the commit of the first.
  expect(await waitedIn(1)).toEqual([0, 0.5].map((value) => ({ ...v1, value })))
  expect(await waitedIn(2)).toEqual([{ ...v1, value: 0 }])
})

test('what is not published has no latency', async () => {
  const told = await run({ publishes: false })
  expect(told('reprise_commit_duration_seconds')).toHaveLength(1)
  expect(told('reprise_end_to_end_latency_seconds')).toEqual([])
  expect(told.latencies).toEqual([undefined, undefined])
})

test('a commit that is refused, and the task that recovers from it, are counted by code; what was not committed is not', async () => {
  const told = await run({ refusedCommits: 2 })
  expect(told('reprise_commit_failures_total')).toEqual(Array(2).fill({ ...v1, code: 'LOG_UNAVAILABLE', value: 1 }))
  expect(told('reprise_errors_total')).toEqual(Array(2).fill({ ...v1, code: 'LOG_UNAVAILABLE', value: 1 }))
  expect(told('reprise_restore_duration_seconds')).toHaveLength(3)
  for (const name of ['reprise_records_in_total', 'reprise_records_processed_total'])
    expect(told(name).reduce((sum, { value }) => sum + value, 0)).toBe(4)
  expect(told('reprise_commits_total').at(-1)).toEqual({ ...v1, value: 1 })
})
