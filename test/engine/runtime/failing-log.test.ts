import { expect, test } from 'vitest'
import { z } from 'zod'
import { ManualClock } from '../../../deploy/testing/manual-clock.ts'
import { BlockBuilder } from '../../../engine/block/block-builder.ts'
import { type ErrorCode, StreamError } from '../../../engine/errors.ts'
import { MemoryLog } from '../../../engine/log/memory/memory-log.ts'
import type { Log, Producer } from '../../../engine/ports/log.ts'
import { noMetrics, noProbe, silentLogger } from '../../../engine/ports/world.ts'
import { runJob } from '../../../engine/runtime/job-run.ts'
import { defaultRuntimeSettings } from '../../../engine/runtime/settings.ts'
import { noPresent } from '../../../engine/task/present.ts'
import { defineJob, topic } from '../../../index.ts'
import { PassThroughLog } from '../../support/pass-through-log.ts'
import { stateInMemory } from '../../support/task-state.ts'

const numbers = topic('numbers', { value: z.object({ n: z.number() }) })
const copies = topic('copies', { value: z.object({ n: z.number() }) })
const job = defineJob('copying', (builder) => builder.from(numbers).to(copies))

const { failuresMax } = defaultRuntimeSettings
const livesMax = 20 * failuresMax

/** What the log answers instead of opening a task's producer, and instead of a commit of it, in this life; undefined: it does what it is asked for. */
type Faults = (life: number) => { readonly open?: ErrorCode; readonly commit?: ErrorCode }

class FailingLog extends PassThroughLog {
  lives = 0
  private readonly faults: Faults

  constructor(inner: Log, faults: Faults) {
    super(inner)
    this.faults = faults
  }

  override async producer(id: string): Promise<Producer> {
    const { open, commit } = this.faults(++this.lives)
    if (open !== undefined) throw new StreamError(open)
    const producer = await this.inner.producer(id)
    if (commit === undefined) return producer
    return { ...producer, commit: () => Promise.reject(new StreamError(commit)) }
  }
}

/** Nobody moves it while the task waits to try again. */
class Impatient extends ManualClock {
  override sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.advance(ms)
    return signal?.aborted ? Promise.resolve() : this.yield()
  }
}

/** Runs the job over five records, a slice each, all of them past their retention between two lives; stopped after many. @returns how many there were, and what it ended with. */
async function run(faults: Faults): Promise<{ lives: number; code: string | undefined; in: number }> {
  const clock = new Impatient(1)
  const inner = new MemoryLog({ clock })
  await inner.createTopic({ name: 'numbers', partitions: 1, kind: 'stream', retentionMs: 1 })
  const builder = new BlockBuilder()
  for (const n of [1, 2, 3, 4, 5]) builder.add({ key: null, value: Buffer.from(JSON.stringify({ n })), eventTime: n })
  const feeder = await inner.producer('feeder')
  const appends = [{ topic: 'numbers', partition: 0, block: builder.finish() }]
  await feeder.commit({ expect: feeder.end, next: { seq: 1, hash: '' }, appends })
  const stop = new AbortController()
  const log = new FailingLog(inner, (life) => {
    if (life > livesMax) stop.abort()
    if (life > 1) inner.retain(Number.MAX_SAFE_INTEGER)
    return faults(life)
  })
  const ended = runJob({
    ...{ version: 1, parallelism: 1, log, clock, logger: silentLogger, metrics: noMetrics, probe: noProbe },
    load: () => ({ topology: job, present: noPresent() }),
    openState: async () => stateInMemory('copying', clock),
    settings: { ...defaultRuntimeSettings, sliceRecordsMax: 1 },
    until: 'end',
    stop: stop.signal,
  })
  const [code, taken] = await ended.then(
    (totals) => [undefined, totals.in] as const,
    (error: StreamError) => [error.code, 0] as const,
  )
  return { lives: log.lives, code, in: taken }
}

test.each(['DISK_FULL', 'LOG_UNAVAILABLE'] as const)('a job waits for as long as the log answers %s, and goes on', async (code) => {
  const found = await run((life) => (life > 5 * failuresMax ? {} : life > 3 * failuresMax ? { open: code } : { commit: code }))
  expect(found).toEqual({ lives: 5 * failuresMax + 1, code: undefined, in: 5 })
})

test('a job that comes no further ends, whether its lives die as they begin or as they run', async () => {
  const code = 'COMMIT_OUTCOME_UNKNOWN'
  expect(await run(() => ({ commit: code }))).toMatchObject({ lives: failuresMax + 1, code })
  expect(await run(() => ({ open: code }))).toMatchObject({ lives: failuresMax + 1, code })
  expect(await run((life) => (life % 2 === 0 ? { open: code } : { commit: code }))).toMatchObject({ lives: failuresMax + 1, code })
})
