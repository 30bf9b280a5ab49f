import { expect, test } from 'vitest'
import { Readiness } from '../../../deploy/server/readiness.ts'
import { ManualClock } from '../../../deploy/testing/manual-clock.ts'
import { BlockBuilder } from '../../../engine/block/block-builder.ts'
import { MemoryLog } from '../../../engine/log/memory/memory-log.ts'
import { silentLogger } from '../../../engine/ports/world.ts'
import type { Positions, TaskFacts } from '../../../engine/runtime/steering.ts'
import type { Health, Role, VersionState } from '../../../replay/control-state.ts'
import { nothingDecided } from '../../../replay/control-state.ts'
import { VersionBoard } from '../../../replay/version-board.ts'

const policy = { maxLagRecords: 10, maxLagMs: 1_000_000, holdMs: 0 }

interface Known {
  role: Role
  health: Health
  runs: boolean
  /** What its task told. */
  told?: number
  left?: () => Promise<number>
}

/** Versions of a job that reads one partition, with so many records. */
async function readiness(records: number, known: Record<number, Known>) {
  const clock = new ManualClock(1_000_000)
  const log = new MemoryLog({ clock })
  await log.createTopic({ name: 'in', partitions: 1, kind: 'stream' })
  const producer = await log.producer('test')
  let seq = 0
  const send = async (count: number) => {
    const builder = new BlockBuilder()
    for (let n = 0; n < count; n++) builder.add({ key: null, value: Buffer.from('{}'), eventTime: 0 })
    const appends = [{ topic: 'in', partition: 0, block: builder.finish() }]
    await producer.commit({ expect: { seq, hash: '' }, next: { seq: ++seq, hash: '' }, appends })
  }
  await send(records)
  const board = new VersionBoard()
  const at = (offset: number): Positions => new Map([['in/0', offset]])
  const stateOf = (version: number): VersionState => ({ version, healthSince: 0, starts: {}, policy: {}, ...known[version]! }) as never
  const decided = () => {
    const versions = new Map(Object.keys(known).map((version) => [Number(version), stateOf(Number(version))]))
    board.control = { ...nothingDecided, events: board.control.events + 1, owner: 1, versions }
  }
  decided()
  for (const [version, { told }] of Object.entries(known)) {
    const facts = { task: 0, tasks: 1, seq: 1, hash: '', watermark: 0, processing: 0, held: undefined, timed: false, clocked: false }
    if (told !== undefined) board.learn(Number(version), { ...facts, positions: at(told) } satisfies TaskFacts)
  }
  const lines: string[] = []
  const looked = new Readiness({
    board,
    version: stateOf,
    runs: (version) => known[version]!.runs,
    left: async (version) => at(await known[version]!.left!()),
    log,
    clock,
    logger: { ...silentLogger, warn: (_, message) => void lines.push(message) },
    policy,
  })
  const look = async () => {
    decided()
    for (const version of looked.lookedAt) await looked.look(version)
  }
  return { looked, look, send, lines, known }
}

const stopped = { role: 'active', health: 'stopped', runs: false } as const

test('what comes in waits for a version that stopped too, from where it left off; it is not judged', async () => {
  const { looked, look, send } = await readiness(20, { 1: { ...stopped, told: 12, left: async () => 15 } })
  await look()
  expect(looked.observer(1).lag).toMatchObject({ records: 5, partition: 'in/0' })
  await send(100)
  await look()
  expect(looked.observer(1).lag?.records).toBe(105)
  expect([looked.observer(1).catchUp, looked.progress(1), looked.caughtUp(1)]).toEqual([undefined, undefined, false])
})

test('where it left off is read once after each life', async () => {
  let reads = 0
  const left = async () => {
    reads++
    return 20 - reads
  }
  const { looked, look } = await readiness(20, { 1: { ...stopped, left } })
  await look()
  await look()
  expect([reads, looked.observer(1).lag?.records]).toEqual([1, 1])
  looked.forget(1)
  await look()
  expect([reads, looked.observer(1).lag?.records]).toEqual([2, 2])
})

test('where that can not be read, what its tasks told counts, or nothing is said', async () => {
  const left = async () => {
    throw new Error('damaged')
  }
  const { looked, look, lines } = await readiness(20, { 1: { ...stopped, told: 12, left }, 2: { ...stopped, role: 'standby', left } })
  await look()
  await look()
  expect([looked.observer(1).lag?.records, looked.observer(2).lag]).toEqual([8, undefined])
  expect(lines).toEqual(Array(2).fill('where a version that stopped stands could not be read'))
})

test('those that run are looked at and judged as they tell, those about to start and those that are no more not at all', async () => {
  const { looked, look } = await readiness(20, {
    1: { role: 'active', health: 'running', runs: true, told: 20 },
    2: { role: 'candidate', health: 'paused', runs: true, told: 12 },
    3: { role: 'candidate', health: 'running', runs: false },
    4: { role: 'retired', health: 'stopped', runs: false },
  })
  expect(looked.lookedAt).toEqual([1, 2])
  await look()
  expect([looked.observer(2).lag?.records, looked.caughtUp(2)]).toEqual([8, true])
})

test('a candidate comes no further than an owner that stopped, also when that has told nothing', async () => {
  const { looked, look } = await readiness(2000, {
    1: { ...stopped, left: async () => 50 },
    2: { role: 'candidate', health: 'running', runs: true, told: 50 },
  })
  await look()
  expect([looked.observer(1).lag?.records, looked.observer(2).lag?.records, looked.caughtUp(2)]).toEqual([1950, 0, true])
})
