import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { BlockBuilder } from '../../../engine/block/block-builder.ts'
import { type ErrorCode, StreamError } from '../../../engine/errors.ts'
import { MemoryLog } from '../../../engine/log/memory/memory-log.ts'
import type { Topology } from '../../../engine/model/topology.ts'
import type { Log } from '../../../engine/ports/log.ts'
import { noMetrics, noProbe, silentLogger } from '../../../engine/ports/world.ts'
import { runJob } from '../../../engine/runtime/job-run.ts'
import { defaultRuntimeSettings } from '../../../engine/runtime/settings.ts'
import { noPresent } from '../../../engine/task/present.ts'
import { defineJob, topic } from '../../../index.ts'
import { MemoryCheckpointStore } from '../../../state/memory-checkpoint-store.ts'
import { openTaskState } from '../../../state/task-state.ts'
import { PassThroughLog } from '../../support/pass-through-log.ts'
import { realClock } from '../../support/real-clock.ts'

const numbers = topic('numbers', { value: z.object({ n: z.number() }) })
const doubled = topic('doubled', { value: z.object({ n: z.number() }) })

const honest = defineJob('doubling', (job) =>
  job
    .from(numbers)
    .map(({ n }) => ({ n: n * 2 }))
    .to(doubled),
)
const journal = 'doubling.v1.journal'

describe('a recovery', () => {
  test('runs the journal again after a crash and goes on', async () => {
    const world = await World.with([1, 2, 3])
    await world.runToEnd(honest, 'crash')
    await world.append([4])
    expect((await world.runToEnd(honest)).in).toBe(4)
  })

  test('runs each slice once, also when blocks are joined while the journal is read', async () => {
    const world = await World.with([1, 2, 3])
    await world.runToEnd(honest, 'crash')
    await world.append([4])
    await world.runToEnd(honest, 'crash')
    world.log = new (class extends PassThroughLog {
      override reader(...[topic, partition, from]: Parameters<Log['reader']>) {
        const reader = this.inner.reader(topic, partition, from)
        if (topic !== journal) return reader
        const { inner } = this
        let reads = 0
        let { position } = reader
        return {
          get position() {
            return position
          },
          // The second read begins again with what the first gave, as a joined block would.
          async read(bytesMax: number) {
            const source = reads++ === 0 ? reader : inner.reader(topic, partition, from)
            const chunk = await source.read(reads === 1 ? 1 : bytesMax)
            position = source.position
            return chunk
          },
          close: () => reader.close(),
        }
      }
    })(world.log)
    expect((await world.runToEnd(honest)).in).toBe(4)
  })

  test('refuses a job whose results depend on more than its input', async () => {
    const world = await World.with([1, 2, 3])
    let calls = 0
    const counting = defineJob('doubling', (job) =>
      job
        .from(numbers)
        .map(() => ({ n: calls++ }))
        .to(doubled),
    )
    await world.runToEnd(counting, 'crash')
    const error = await world.failure(counting, 'JOB_NOT_DETERMINISTIC')
    expect(error.details).toMatchObject({ job: 'doubling', version: 1, task: 0, slice: 1 })
    expect(error.details.again).not.toEqual(error.details.journaled)
  })

  test('refuses input that is not what the journal says it was', async () => {
    const world = await World.with([1, 2, 3])
    await world.runToEnd(honest, 'crash')
    const other = await World.with([1, 2, 7])
    // Only the input is another one.
    world.log = new (class extends PassThroughLog {
      override reader(...[topic, ...rest]: Parameters<Log['reader']>) {
        return (topic === 'numbers' ? other.log : this.inner).reader(topic, ...rest)
      }
    })(world.log)
    const error = await world.failure(honest, 'INPUT_CHANGED')
    expect(error.details).toMatchObject({ slice: 1 })
  })

  test('says that the log is damaged when a checkpoint is ahead of the journal', async () => {
    const ahead = await World.with([1, 2, 3])
    await ahead.runToEnd(honest)
    await ahead.append([4])
    await ahead.runToEnd(honest)
    const behind = await World.with([1, 2, 3])
    await behind.runToEnd(honest, 'crash')
    behind.checkpoints = ahead.checkpoints
    const error = await behind.failure(honest, 'LOG_CORRUPT')
    expect(String(error.details.reason)).toContain('ahead of the journal')
  })

  test("says that the log is damaged when the journal does not end where the producer's end says", async () => {
    const world = await World.with([1, 2, 3])
    await world.runToEnd(honest, 'crash')
    world.log = new (class extends PassThroughLog {
      override bounds(...[topic, partition]: Parameters<Log['bounds']>) {
        const { start, end } = this.inner.bounds(topic, partition)
        return topic === journal ? { start, end: start } : { start, end }
      }
    })(world.log)
    const error = await world.failure(honest, 'LOG_CORRUPT')
    expect(String(error.details.reason)).toContain('the journal ends at slice')
  })

  test('says that no checkpoint is left when the journal does not reach back to its beginning', async () => {
    const world = await World.with([1, 2, 3])
    await world.runToEnd(honest, 'crash')
    await world.append([4])
    await world.runToEnd(honest, 'crash')
    await world.log.trim(journal, 0, 1)
    world.checkpoints = new MemoryCheckpointStore()
    expect((await world.failure(honest, 'CHECKPOINT_MISSING')).details).toMatchObject({ checkpoint: 0 })
  })

  test('begins with nothing but the journal when all checkpoints are lost', async () => {
    const world = await World.with([1, 2, 3])
    await world.runToEnd(honest)
    world.checkpoints = new MemoryCheckpointStore()
    await world.append([4])
    expect((await world.runToEnd(honest)).in).toBe(4)
  })
})

/** A log with numbers in it and the checkpoints of one task. */
class World {
  log: Log = new MemoryLog({ clock: realClock })
  checkpoints = new MemoryCheckpointStore()

  static async with(values: readonly number[]): Promise<World> {
    const world = new World()
    await world.log.createTopic({ name: 'numbers', partitions: 1, kind: 'stream' })
    await world.append(values)
    return world
  }

  async append(values: readonly number[]): Promise<void> {
    const builder = new BlockBuilder()
    for (const n of values) builder.add({ key: null, value: Buffer.from(JSON.stringify({ n })), eventTime: 1 })
    const { end } = this.log.bounds('numbers', 0)
    const producer = await this.log.producer(`append-${end}`)
    await producer.commit({
      expect: { seq: 0, hash: '' },
      next: { seq: 1, hash: '' },
      appends: [{ topic: 'numbers', partition: 0, block: builder.finish() }],
    })
  }

  /** Up to the end of the input. A `crash` leaves the journal, and checkpoints as they were before. */
  async runToEnd(topology: Topology, how: 'stop' | 'crash' = 'stop') {
    const checkpoints = how === 'stop' ? this.checkpoints : new MemoryCheckpointStore()
    return runJob({
      load: () => ({ topology, present: noPresent() }),
      version: 1,
      parallelism: 1,
      log: this.log,
      openState: async () =>
        openTaskState({
          task: { job: topology.job, version: 1, task: 0, fingerprint: '', semantics: 1 },
          checkpoints,
          spill: null,
          settings: { memoryBytesMax: 1 << 20 },
          clock: realClock,
          logger: silentLogger,
          metrics: noMetrics,
          probe: noProbe,
        }),
      clock: realClock,
      logger: silentLogger,
      metrics: noMetrics,
      probe: noProbe,
      settings: { ...defaultRuntimeSettings, failuresMax: 0 },
      until: 'end',
      stop: new AbortController().signal,
    })
  }

  async failure(topology: Topology, code: ErrorCode): Promise<StreamError> {
    const error = await this.runToEnd(topology).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(StreamError)
    expect((error as StreamError).code).toBe(code)
    return error as StreamError
  }
}
