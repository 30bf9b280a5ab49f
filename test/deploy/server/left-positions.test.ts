import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { z } from 'zod'
import { openStateIn } from '../../../deploy/open-state.ts'
import { inspectJob } from '../../../deploy/server/inspected-job.ts'
import { leftPositions } from '../../../deploy/server/left-positions.ts'
import { BlockBuilder } from '../../../engine/block/block-builder.ts'
import { MemoryLog } from '../../../engine/log/memory/memory-log.ts'
import { noMetrics, noProbe, silentLogger } from '../../../engine/ports/world.ts'
import { runJob } from '../../../engine/runtime/job-run.ts'
import { defaultRuntimeSettings } from '../../../engine/runtime/settings.ts'
import { noPresent } from '../../../engine/task/present.ts'
import { count, defineJob, topic, tumbling } from '../../../index.ts'
import { realClock } from '../../support/real-clock.ts'

const directory = mkdtempSync(join(tmpdir(), 'reprise-left-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const value = z.object({ n: z.number() })
const [one, two, out] = ['one', 'two', 'out'].map((name) => topic(name, { value }))
const job = defineJob('counting', (builder) => {
  builder
    .from(one!)
    .merge(builder.from(two!))
    .keyBy('n', ({ n }) => n)
    .window('all', tumbling('1s'))
    .aggregate({ n: count() })
    .map(({ n }) => ({ n }))
    .to(out!)
})
const inspected = inspectJob(job, 'sha256')

async function counting(parallelism: number) {
  const clock = realClock
  const log = new MemoryLog({ clock })
  await log.createTopic({ name: 'one', partitions: 3, kind: 'stream' })
  await log.createTopic({ name: 'two', partitions: 2, kind: 'stream' })
  const feeder = await log.producer('feeder')
  let seq = 0
  const data = join(directory, String(parallelism))
  const state = { version: 1, parallelism, starts: { 'one/1': 2 } }
  return {
    async send(name: string, partition: number, records: number) {
      const block = new BlockBuilder()
      for (let n = 0; n < records; n++) block.add({ key: null, value: Buffer.from(JSON.stringify({ n })), eventTime: n })
      const appends = [{ topic: name, partition, block: block.finish() }]
      await feeder.commit({ expect: { seq, hash: '' }, next: { seq: ++seq, hash: '' }, appends })
    },
    /** To the end of the input; a crash comes when no task has anything to do: what was done since the begin is in the journal only. */
    async run(how: 'cleanly' | 'crash') {
      const crash = new AbortController()
      const waiting = new Set<number>()
      const tasks = parallelism === 1 ? 1 : 2 * parallelism
      // A checkpoint is begun as soon as it may be, and the journal before the last but one let go.
      const settings = { ...defaultRuntimeSettings, ...(how === 'cleanly' ? { checkpointEveryMs: 0, sliceRecordsMax: 1 } : {}) }
      const done = runJob({
        ...state,
        load: () => ({ topology: job, present: noPresent() }),
        log,
        openState: (plan, planned, present) =>
          openStateIn({ directory: data, logger: silentLogger, probe: noProbe, memoryBytesMax: 64 << 20 }, plan, planned, present),
        ...{ clock, logger: silentLogger, metrics: noMetrics, probe: noProbe, settings },
        until: how === 'crash' ? 'stopped' : 'end',
        stop: new AbortController().signal,
        crash: crash.signal,
        onWait: (task) => {
          waiting.add(task)
          if (how === 'crash' && waiting.size === tasks) crash.abort(new Error('a crash'))
        },
      })
      if (how === 'crash') await expect(done).rejects.toThrow('a crash')
      else await done
    },
    /** The oldest record of the first task's journal that is still there. */
    kept: () => log.bounds('counting.v1.journal', 0).start,
    left: async () => Object.fromEntries(await leftPositions(log, data, inspected, state)),
  }
}

test.each([1, 2])('a version of which nothing is left yet stands where it begins: parallelism %i', async (parallelism) => {
  expect(await (await counting(parallelism)).left()).toEqual({ 'one/0': 0, 'one/1': 2, 'one/2': 0, 'two/0': 0, 'two/1': 0 })
})

test.each([1, 2])('it stands where its checkpoints and, after these, its journals say: parallelism %i', async (parallelism) => {
  const { send, run, left, kept } = await counting(parallelism)
  for (const partition of [0, 1, 2]) await send('one', partition, 3 + partition)
  await send('two', 1, 7)
  await run('cleanly')
  const first = { 'one/0': 3, 'one/1': 4, 'one/2': 5, 'two/0': 0, 'two/1': 7 }
  expect(await left()).toEqual(first)
  await send('one', 2, 2)
  await send('two', 0, 2)
  await run('cleanly')
  // The journal knows nothing any more of a partition that got nothing since.
  expect(kept()).toBeGreaterThan(5)
  expect(await left()).toEqual({ ...first, 'one/2': 7, 'two/0': 2 })
  await send('one', 0, 2)
  await run('crash')
  expect(await left()).toEqual({ ...first, 'one/0': 5, 'one/2': 7, 'two/0': 2 })
})
