import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { bundleJob } from '../../../deploy/bundle.ts'
import { BundleStore } from '../../../deploy/bundle-store.ts'
import type { InspectedJob } from '../../../deploy/server/inspected-job.ts'
import { type ControllerWorld, JobController } from '../../../deploy/server/job-controller.ts'
import { MemoryWatch } from '../../../deploy/server/memory-watch.ts'
import { BlockBuilder } from '../../../engine/block/block-builder.ts'
import { openEmbeddedLog } from '../../../engine/log/embedded/open-embedded-log.ts'
import { type Logger, noMetrics, noProbe, silentLogger } from '../../../engine/ports/world.ts'
import { defaultRuntimeSettings } from '../../../engine/runtime/settings.ts'
import type { ControlEvent } from '../../../replay/control-event.ts'
import { decide, readControl, readEvents } from '../../../replay/control-log.ts'
import { nothingDecided } from '../../../replay/control-state.ts'
import { realClock } from '../../support/real-clock.ts'

// In a thread of its own in truth, which can load no TypeScript here.
const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

type Decided = ControlEvent extends infer E ? (E extends ControlEvent ? Omit<E, 'at'> : never) : never

/** A job of which v2 has taken over from v1. No version runs: all have stopped. */
async function worldOf(): Promise<ControllerWorld & { readonly told: string[]; bakeMs: number }> {
  const directory = await mkdtemp(path.join(tmpdir(), 'reprise-controller-'))
  closing.push(() => rm(directory, { recursive: true }))
  await mkdir(path.join(directory, 'log'))
  const log = await openEmbeddedLog({ directory: path.join(directory, 'log'), clock: realClock, logger: silentLogger })
  closing.push(() => log.close())
  const bundles = new BundleStore(log)
  const bundle = await bundleJob(new URL('../../e2e/jobs/kill.ts', import.meta.url).pathname)
  await bundles.put(bundle, 1)
  let control = nothingDecided
  const say = async (event: Decided) => {
    control = await decide(log, 'shop', control, { at: realClock.now(), ...event } as ControlEvent)
  }
  for (const version of [1, 2, 3]) {
    await say({ type: 'registered', version, sha256: bundle.sha256, parallelism: 1, fingerprint: '' })
    await say({ type: 'stopped', version, code: 'OPERATOR_THREW', reason: 'for the test' })
  }
  await say({ type: 'holdRequested', id: 'a', from: 1, to: 2 })
  await say({ type: 'cutOver', id: 'a', from: 1, to: 2, positions: {}, watermark: null, processing: 0, ends: {} })
  const told: string[] = []
  const tell = (fields: object, message: string) => void told.push(`${message} ${String((fields as { error?: unknown }).error)}`)
  const logger: Logger = { ...silentLogger, warn: tell, error: tell, child: () => logger }
  return {
    ...{ log, bundles, directory, logger, told, bakeMs: 1e9, clock: realClock, metrics: noMetrics, probe: noProbe },
    settings: defaultRuntimeSettings,
    state: { mergeBytesMin: 1 << 20 },
    memoryBytesMax: 1 << 26,
    memory: MemoryWatch.ofProcess(realClock),
    writers: () => [],
    inspect: async () => ({ job: 'shop', sources: [{ name: 'events' }], outputs: [] }) as unknown as InspectedJob,
    limits: { heapBytesMax: 1 << 28, externalBytesMax: 1 << 28, watchdogMs: 10_000 },
    diskBytesMax: Number.POSITIVE_INFINITY,
    failAt: undefined,
    policy: { maxLagRecords: 1, maxLagMs: 1, holdMs: 1 },
    holdMs: 500,
  }
}

async function open(world: ControllerWorld): Promise<JobController> {
  const controller = await JobController.open('shop', world)
  closing.push(() => controller.close())
  return controller
}

test('a version that was stopped is not paused, and goes on saying why it stopped', async () => {
  const controller = await open(await worldOf())
  for (const rate of [undefined, 0] as const)
    await expect(controller.verbs.pause(2, {}, rate)).rejects.toMatchObject({
      code: 'VERSION_STATE',
      details: { reason: 'it was stopped' },
    })
  expect(controller.version(2)).toMatchObject({ health: 'stopped', code: 'OPERATOR_THREW', reason: 'for the test' })
})

test('a version that is given up in the moment its time is over is retired once, and the job is led on', async () => {
  const world = await worldOf()
  const controller = await open(world)
  world.bakeMs = 0
  // What is to be done after the first is looked for while the second is being written.
  await Promise.all([controller.verbs.abort(3, {}), controller.verbs.abort(1, {})])
  const about1 = (await readEvents(world.log, 'shop')).filter((event) => event.type === 'retired')
  expect(about1).toHaveLength(1)
  expect((await controller.verbs.setRate(2, { recordsPerSecond: 5 }, {})).recordsPerSecond).toBe(5)
  await controller.close()
  expect(world.told).toEqual([])
  const again = await open(world)
  expect(again.version(1).role).toBe('retired')
})

test('what only a version wrote that is no more nobody writes; what one writes that is being recorded somebody does', async () => {
  const controller = await open(await worldOf())
  const writing = (name: string) => ({ job: 'shop', sources: [], outputs: [{ name }] }) as unknown as InspectedJob
  controller.inspected.set(3, writing('extra')).set(4, writing('soon'))
  expect(controller.outputs).toEqual(['extra', 'soon'])
  await controller.verbs.abort(3, {})
  expect([controller.writes('extra'), controller.writes('soon')]).toEqual([false, true])
})

test('the input of versions that stopped stays, past its retention, while their job is led', async () => {
  const world = await worldOf()
  const { log } = world
  await log.createTopic({ name: 'events', partitions: 1, kind: 'stream', retentionMs: 1000 })
  const feeder = await log.producer('feeder')
  const block = new BlockBuilder()
  block.add({ key: null, value: Buffer.from('{}'), eventTime: 0 })
  await feeder.commit({
    expect: feeder.end,
    next: { seq: 1, hash: '' },
    appends: [{ topic: 'events', partition: 0, block: block.finish() }],
  })
  const startAfterRetention = async () => {
    await log.retain(realClock.now() + 60_000)
    return log.bounds('events', 0).start
  }
  const controller = await open(world)
  expect(await startAfterRetention()).toBe(0)
  await controller.verbs.abort(3, {})
  await controller.verbs.abort(1, {})
  expect(await startAfterRetention()).toBe(0)
  await controller.close()
  expect(await startAfterRetention()).toBe(1)
})

test('of a job that can not be led nothing goes on', async () => {
  const world = await worldOf()
  let waits = 0
  const sleep = (...args: Parameters<typeof realClock.sleep>) => {
    waits++
    return realClock.sleep(...args).finally(() => waits--)
  }
  const broken = { ...world, clock: { ...realClock, sleep }, inspect: () => Promise.reject(new Error('no such code')) }
  await expect(JobController.open('shop', broken)).rejects.toThrow('no such code')
  await realClock.sleep(50)
  expect(waits).toBe(0)
})

test('a hold that an earlier life left open ends before it is read where versions stand that stopped: that may take long', async () => {
  const world = await worldOf()
  const { log } = world
  await log.createTopic({ name: 'events', partitions: 1, kind: 'stream' })
  await log.createTopic({ name: 'shop.v1.journal', partitions: 1, kind: 'internal' })
  const read = new AbortController()
  const { bounds, reader } = log
  log.bounds = (topic, partition) => (topic === 'shop.v1.journal' ? { start: 0, end: 1 } : bounds.call(log, topic, partition))
  log.reader = (topic, ...rest) => {
    const made = reader.call(log, topic, ...rest)
    if (topic === 'shop.v1.journal') made.read = () => realClock.sleep(60_000, read.signal).then(() => null)
    return made
  }
  const control = await readControl(log, 'shop')
  await decide(log, 'shop', control, { type: 'holdRequested', at: realClock.now(), id: 'b', from: 2, to: 1 })
  const controller = await open(world)
  closing.push(async () => read.abort())
  await expect.poll(() => controller.control.hold, { timeout: 2000 }).toBe(undefined)
})

test('a version that fails again and again while it is to stand still has stopped once', async () => {
  const world = await worldOf()
  const { log, told } = world
  await decide(log, 'shop', await readControl(log, 'shop'), { type: 'holdRequested', at: realClock.now(), id: 'b', from: 2, to: 1 })
  const written = (await readEvents(log, 'shop')).length
  // The hold stays as long as that can't be written.
  const { producer } = log
  const asked = new AbortController()
  log.producer = async (id) => {
    await realClock.sleep(10_000, asked.signal)
    return producer.call(log, id)
  }
  const controller = await open(world)
  closing.push(async () => asked.abort())
  const failures = () => told.filter((message) => message.startsWith('version stopped')).length
  await expect.poll(failures, { timeout: 5000 }).toBeGreaterThan(2)
  asked.abort()
  await controller.close()
  const events = (await readEvents(log, 'shop')).slice(written)
  expect(events.filter(({ type }) => type === 'stopped')).toHaveLength(1)
})

test('a job is not led whose output another one writes by now: one that could not be led for a while has nobody who keeps it', async () => {
  const world = await worldOf()
  const inspect = async () => ({ job: 'shop', sources: [{ name: 'events' }], outputs: [{ name: 'both' }] }) as unknown as InspectedJob
  const writers = () => [{ job: 'bills', writes: (topic: string) => topic === 'both', seals: () => false }]
  const led: JobController[] = []
  const opened = JobController.open('shop', { ...world, inspect, writers }, (controller) => led.push(controller))
  await expect(opened).rejects.toMatchObject({ code: 'OUTPUT_OWNED', details: { topic: 'both', job: 'bills' } })
  expect(led).toEqual([])
})

test('a job is led beside one that can not be, whatever that one may write', async () => {
  const inspect = async () => ({ job: 'shop', sources: [{ name: 'events' }], outputs: [{ name: 'both' }] }) as unknown as InspectedJob
  const writers = () => [{ job: 'bills', writes: () => true, seals: () => false, unled: 'its bundle is gone' }]
  const controller = await open({ ...(await worldOf()), inspect, writers })
  expect(controller.writes('both')).toBe(true)
})

describe('while a cut-over waits for a common end of windows', () => {
  const windows = (hours: number) => {
    const windowEnds = { time: 'event', everyMs: hours * 3_600_000 }
    const window = { name: 'all', kind: 'operator', type: 'window', detail: `tumbling ${hours}h`, inputs: [], stores: [], windowEnds }
    const sink = { name: 'out', kind: 'sink', type: 'stream', detail: '', inputs: ['all'], stores: [], topic: 'rows' }
    return { job: 'shop', sources: [], outputs: [{ name: 'rows' }], described: { nodes: [window, sink] } } as unknown as InspectedJob
  }
  /** The time to go back to v1 is over while a version is to take over. */
  const waitingFor = async (version: number) => {
    const world = await worldOf()
    const controller = await open(world)
    for (const one of [1, 2, 3]) controller.inspected.set(one, windows(one))
    const waiting = controller.switching.promote({ version, waitMs: 60_000, asked: {} }).catch((error: unknown) => error)
    expect(controller.switching.to).toBe(version)
    world.bakeMs = 0
    closing.push(async () => {
      void controller.switching.abort('the test is over')
      expect(await waiting).toMatchObject({ code: 'CUT_OVER_ABORTED' })
    })
    return controller
  }

  test('what is due for other versions is done', async () => {
    const controller = await waitingFor(3)
    await expect.poll(() => controller.version(1).role, { timeout: 3000 }).toBe('retired')
  })

  test('the version that is asked for stays', async () => {
    const controller = await waitingFor(1)
    const from = controller.lookedAt
    await expect.poll(() => controller.lookedAt - from, { timeout: 3000 }).toBeGreaterThan(900)
    expect(controller.version(1).role).toBe('standby')
  })
})
