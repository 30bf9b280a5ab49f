import { expect, test } from 'vitest'
import type { Writer } from '../../../deploy/output-owner.ts'
import { Decisions } from '../../../deploy/server/decisions.ts'
import type { InspectedJob } from '../../../deploy/server/inspected-job.ts'
import type { Switching } from '../../../deploy/server/switching.ts'
import { VersionVerbs } from '../../../deploy/server/version-verbs.ts'
import { MemoryLog } from '../../../engine/log/memory/memory-log.ts'
import { VersionBoard } from '../../../replay/version-board.ts'
import { SimClock } from '../../support/sim-clock.ts'

const writesBoth = { fingerprint: '', sources: [], outputs: [{ name: 'both' }] } as unknown as InspectedJob
const manual = { asked: {}, promote: 'manual' } as const

test('of two jobs that write one topic and are deployed at the same time the second is refused', async () => {
  const world = worldOf()
  const [orders, bills] = [world.job('orders'), world.job('bills')]
  const [first, second] = await Promise.allSettled([
    orders.verbs.register(writesBoth, 'a', 1, manual),
    bills.verbs.register(writesBoth, 'b', 1, manual),
  ])
  expect(first).toMatchObject({ status: 'fulfilled', value: { version: 1, role: 'active' } })
  expect(second).toMatchObject({ status: 'rejected', reason: { code: 'OUTPUT_OWNED', details: { topic: 'both', job: 'orders' } } })
  expect([orders.board.control.events, bills.board.control.events]).toEqual([1, 0])
  expect(await orders.verbs.register(writesBoth, 'c', 1, manual)).toMatchObject({ version: 2, role: 'candidate' })
})

test('a version that could not be recorded writes nothing', async () => {
  const world = worldOf()
  const [orders, bills] = [world.job('orders'), world.job('bills')]
  const disk = world.log.producer
  world.log.producer = async () => {
    throw new Error('the disk is full')
  }
  await expect(orders.verbs.register(writesBoth, 'a', 1, manual)).rejects.toThrow('the disk is full')
  world.log.producer = disk
  expect(await bills.verbs.register(writesBoth, 'b', 1, manual)).toMatchObject({ version: 1 })
})

test('who pauses a version that is paused by its rate has it paused: another rate does not end that', async () => {
  const { verbs } = worldOf().job('orders')
  await verbs.register(writesBoth, 'a', 1, manual)
  await verbs.pause(1, {}, 0)
  await verbs.pause(1, { reason: 'look at it first' })
  expect(await verbs.setRate(1, { recordsPerSecond: 5 }, {})).toMatchObject({ health: 'paused', reason: 'look at it first' })
})

test('a version is registered with its limits in one decision: it never takes a record without them', async () => {
  const { verbs, board } = worldOf().job('orders')
  const rate = { recordsPerSecond: 100 }
  expect(await verbs.register(writesBoth, 'a', 1, { ...manual, rate })).toMatchObject({ ...rate, bytesPerSecond: null })
  expect(board.control.events).toBe(1)
})

test('when a version counts as caught up is said for the job: it holds for those that follow, but for what is said anew', async () => {
  const { verbs, board } = worldOf().job('orders')
  await verbs.register(writesBoth, 'a', 1, { ...manual, policy: { maxLagRecords: 5, holdMs: 10 } })
  expect(await verbs.register(writesBoth, 'b', 1, manual)).toMatchObject({ version: 2, policy: { maxLagRecords: 5, holdMs: 10 } })
  const third = await verbs.register(writesBoth, 'c', 1, { ...manual, policy: { holdMs: 20 } })
  expect(third.policy).toEqual({ maxLagRecords: 5, holdMs: 20 })
  const { events } = board.control
  const again = await verbs.register(writesBoth, 'c', 1, { ...manual, policy: { holdMs: 20 } })
  expect([again.policy, board.control.events]).toEqual([third.policy, events])
  expect((await verbs.register(writesBoth, 'c', 1, { ...manual, policy: { holdMs: 30 } })).policy).toEqual({ maxLagRecords: 5, holdMs: 30 })
})

test('a rate of 0 pauses, and what is said with it of the other limit holds afterwards', async () => {
  const { verbs } = worldOf().job('orders')
  await verbs.register(writesBoth, 'a', 1, manual)
  const paused = { health: 'paused', pausedByRate: true, recordsPerSecond: 100, bytesPerSecond: null }
  expect(await verbs.setRate(1, { recordsPerSecond: 100, bytesPerSecond: 0 }, {})).toMatchObject(paused)
  expect(await verbs.setRate(1, { recordsPerSecond: 0 }, {})).toMatchObject(paused)
  expect(await verbs.setRate(1, { bytesPerSecond: 5 }, {})).toMatchObject({ health: 'running', recordsPerSecond: 100, bytesPerSecond: 5 })
})

test('a pause that is asked for while another rate is being set stays', async () => {
  const { verbs, board } = worldOf().job('orders')
  await verbs.register(writesBoth, 'a', 1, manual)
  await verbs.pause(1, {}, 0)
  await Promise.all([verbs.setRate(1, { recordsPerSecond: 5 }, {}), verbs.pause(1, { reason: 'look at it first' })])
  expect(board.control.versions.get(1)).toMatchObject({ health: 'paused', reason: 'look at it first', recordsPerSecond: 5 })
})

/** Jobs of one server, whose versions do not run. */
function worldOf() {
  const clock = new SimClock()
  const log = new MemoryLog({ clock })
  const writers: Writer[] = []
  const job = (name: string) => {
    const board = new VersionBoard()
    const inspected = new Map<number, InspectedJob>()
    const writes = (topic: string) => [...inspected.values()].some(({ outputs }) => outputs.some((output) => output.name === topic))
    writers.push({ job: name, writes, seals: () => false })
    const verbs = new VersionVerbs({
      job: name,
      log,
      decisions: new Decisions({ job: name, log, clock, board }),
      inspected,
      switching: {} as Switching,
      writers: () => writers,
      control: () => board.control,
      version: (version) => board.control.versions.get(version)!,
      positions: () => undefined,
      carriedOut: async () => {},
      point: () => {},
    })
    return { board, verbs }
  }
  return { log, job }
}
