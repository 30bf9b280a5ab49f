import { expect, test } from 'vitest'
import { z } from 'zod'
import { ManualClock } from '../../../deploy/testing/manual-clock.ts'
import { BlockBuilder } from '../../../engine/block/block-builder.ts'
import { MemoryLog } from '../../../engine/log/memory/memory-log.ts'
import { noMetrics, noProbe, silentLogger } from '../../../engine/ports/world.ts'
import { runJob } from '../../../engine/runtime/job-run.ts'
import { defaultRuntimeSettings } from '../../../engine/runtime/settings.ts'
import { noPresent } from '../../../engine/task/present.ts'
import { defineJob, topic } from '../../../index.ts'
import { MemoryCheckpointStore } from '../../../state/memory-checkpoint-store.ts'
import { openTaskState } from '../../../state/task-state.ts'

const number = { value: z.object({ n: z.number() }) }
const job = defineJob('copying', (builder) => {
  builder.from(topic('in', number)).to(topic('out', number))
})

test('after a restart retention leaves what the older of two checkpoints needs, until two newer ones stand', async () => {
  const clock = new ManualClock(1000)
  const log = new MemoryLog({ clock })
  await log.createTopic({ name: 'in', partitions: 1, kind: 'stream', retentionMs: 1000 })
  const feeder = await log.producer('feeder')
  let fed = 0
  const feed = async () => {
    const block = new BlockBuilder()
    block.add({ key: null, value: Buffer.from('{"n":1}'), eventTime: 1 })
    const expect = { seq: fed, hash: '' }
    await feeder.commit({ expect, next: { seq: ++fed, hash: '' }, appends: [{ topic: 'in', partition: 0, block: block.finish() }] })
  }
  const checkpoints = new MemoryCheckpointStore()
  const openState = async () =>
    openTaskState({
      ...{ task: { job: 'copying', version: 1, task: 0, fingerprint: '', semantics: 1 }, checkpoints, spill: null },
      ...{ settings: { memoryBytesMax: 1 << 20 }, clock, logger: silentLogger, metrics: noMetrics, probe: noProbe },
    })
  const run = (until: 'end' | 'stopped', stop = new AbortController(), onWait = () => {}) => {
    const load = () => ({ topology: job, present: noPresent() })
    const world = { log, openState, clock, logger: silentLogger, metrics: noMetrics, probe: noProbe, settings: defaultRuntimeSettings }
    return runJob({ ...world, load, version: 1, parallelism: 1, until, stop: stop.signal, onWait })
  }
  const manifests = async () => (await checkpoints.list()).filter((name) => name.startsWith('checkpoint-'))

  for (let records = 0; records < 3; records++) {
    await feed()
    await run('end')
  }
  expect(await manifests()).toHaveLength(2)
  const stop = new AbortController()
  let running: Promise<unknown> | undefined
  await new Promise<void>((waits) => {
    running = run('stopped', stop, waits)
  })
  clock.advance(60_000)
  log.retain(clock.now())
  stop.abort()
  await running
  // The newest is damaged: the older one, and what was read after it, give the same again.
  checkpoints.files.set((await manifests()).at(-1)!, Buffer.from('damaged'))
  await feed()
  expect(await run('end')).toMatchObject({ in: 4, out: { out: 4 } })

  // With newer ones what is older goes.
  for (let records = 0; records < 3; records++) {
    await feed()
    await run('end')
  }
  log.retain(clock.now() + 60_000)
  expect(log.bounds('in', 0).start).toBeGreaterThan(0)
})
