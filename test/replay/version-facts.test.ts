import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../deploy/testing/manual-clock.ts'
import { MemoryLog } from '../../engine/log/memory/memory-log.ts'
import type { Producer } from '../../engine/ports/log.ts'
import { noProbe } from '../../engine/ports/world.ts'
import type { TaskFacts } from '../../engine/runtime/steering.ts'
import { decide, readEvents } from '../../replay/control-log.ts'
import { markOf } from '../../replay/control-state.ts'
import { cutOver } from '../../replay/cut-over.ts'
import { VersionBoard } from '../../replay/version-board.ts'
import { cutTimes, heldFor, unevenTimes, versionFacts } from '../../replay/version-facts.ts'

function task(number: number, facts: Partial<TaskFacts> = {}): TaskFacts {
  return {
    task: number,
    tasks: 2,
    seq: 1,
    hash: 'h',
    positions: new Map([[`in/${number}`, 10 + number]]),
    watermark: 100,
    processing: 1000,
    held: undefined,
    timed: true,
    clocked: false,
    ...facts,
  }
}

describe('what is known of a version', () => {
  test('is that it stands still when all of its tasks do, for this hold', () => {
    const both = (one: string | undefined, other: string | undefined) => versionFacts([task(0, { held: one }), task(1, { held: other })])!
    expect(heldFor(both('a', 'a'), 'a')).toBe(true)
    expect([both('a', undefined), both('a', 'b'), both('b', 'b')].map((facts) => heldFor(facts, 'a'))).toEqual([false, false, false])
  })

  test('is nothing before every task of it has told of itself', () => {
    expect(versionFacts([])).toBeUndefined()
    expect(versionFacts([task(1)])).toBeUndefined()
    expect(versionFacts([task(1), task(0)])!.tasks.map((one) => one.task)).toEqual([0, 1])
  })

  test('is how far all of its tasks have come', () => {
    const { positions, watermark, processing } = versionFacts([task(0, { watermark: 90 }), task(1, { processing: 900 })])!
    expect([...positions]).toEqual([
      ['in/0', 10],
      ['in/1', 11],
    ])
    expect([watermark, processing]).toEqual([90, 900])
  })

  test('leaves out the watermarks of tasks that give nothing by time', () => {
    expect(versionFacts([task(0, { watermark: 5, timed: false }), task(1, { watermark: 90 })])!.watermark).toBe(90)
  })
})

describe('the times of a cut', () => {
  const version = (...tasks: TaskFacts[]) => versionFacts(tasks)!

  test('are the highest that were come to', () => {
    const times = cutTimes(version(task(0), task(1)), version(task(0, { watermark: 95 }), task(1, { watermark: 80, processing: 1100 })))
    expect(times).toEqual({ watermark: 100, processing: 1100 })
  })

  test('do not depend on tasks that give nothing by time, nor on those that have no input', () => {
    const owner = version(task(0, { watermark: 170, timed: false }), task(1))
    expect(cutTimes(owner, version(task(0), task(1)))).toEqual({ watermark: 100, processing: 1000 })
    const stateless = [
      task(0, { timed: false }),
      task(1, { timed: false, watermark: Number.POSITIVE_INFINITY, processing: Number.POSITIVE_INFINITY }),
    ]
    expect(cutTimes(version(...stateless), version(...stateless))).toEqual({ watermark: 100, processing: 1000 })
  })
})

describe('uneven times', () => {
  const uneven = (...tasks: TaskFacts[]) => unevenTimes(versionFacts(tasks)!)

  test('are the latest that any task has come to', () => {
    expect(uneven(task(0), task(1, { watermark: 99 }))).toEqual({ watermark: 100, processing: 0 })
    const clocked = [task(0, { clocked: true, timed: false }), task(1, { clocked: true, timed: false, processing: 999 })]
    expect(uneven(...clocked)).toEqual({ watermark: Number.NEGATIVE_INFINITY, processing: 1000 })
  })

  test('are none where all have come to the same, or give nothing by time', () => {
    expect(uneven(task(0), task(1))).toBeUndefined()
    expect(uneven(task(0), task(1, { processing: 5 }))).toBeUndefined()
    expect(uneven(task(0), task(1, { watermark: 7, timed: false }))).toBeUndefined()
  })
})

describe('an owner whose tasks stand still at different times', () => {
  const begun = async () => {
    const clock = new ManualClock(1_000_000_000)
    const log = new MemoryLog({ clock })
    const board = new VersionBoard()
    await standing(log, board, (version, number) => ({ watermark: version === 1 && number === 0 ? 100 : 60 }))
    const outcome = cutOver({ log, clock, probe: noProbe, board, job: 'job', outputs: [] }, { to: 2, holdMs: 1000 })
    // That one may be over by then is for the test to say.
    outcome.catch(() => {})
    for (let turns = 0; turns < 100 && board.control.hold?.level === undefined; turns++)
      await new Promise((resolve) => setImmediate(resolve))
    return { log, clock, board, outcome }
  }

  test('comes to the latest of them before it is cut there', async () => {
    const { board, outcome } = await begun()
    expect(board.control.hold).toMatchObject({ id: 'hold-2', level: { watermark: 100, processing: 0 } })
    const mark = markOf(board.control.hold!)
    for (const number of [0, 1]) board.learn(1, task(number, { held: mark, watermark: 100 }))
    for (const number of [0, 1]) board.learn(2, task(number, { held: mark, watermark: 60 }))
    expect(await outcome).toMatchObject({ id: 'hold-2', watermark: 100 })
    expect([board.control.owner, board.control.hold]).toEqual([2, undefined])
  })

  test('is not cut where its tasks stand by the first word still, nor where they have come to different times all the same', async () => {
    const { board, outcome } = await begun()
    const mark = markOf(board.control.hold!)
    for (const version of [1, 2]) board.learn(version, task(0, { held: mark, watermark: version === 1 ? 100 : 60 }))
    await new Promise((resolve) => setImmediate(resolve))
    expect(board.control.owner).toBe(1)
    for (const version of [1, 2]) board.learn(version, task(1, { held: mark, watermark: 60 }))
    await expect(outcome).rejects.toThrow(/CUT_OVER_ABORTED.*no more comes/)
    expect([board.control.owner, board.control.hold]).toEqual([1, undefined])
  })
})

test('the decision is void when any task of either version has gone on', async () => {
  const clock = new ManualClock(1_000_000_000)
  for (const moved of ['job.v1.task-0', 'job.v1.task-1', 'job.v2.task-0', 'job.v2.task-1', undefined]) {
    const log = new MemoryLog({ clock })
    const board = new VersionBoard()
    const producers = await standing(log, board)
    // It was held, then another life of it went on.
    await producers.find(({ id }) => id === moved)?.commit({ expect: { seq: 1, hash: 'h' }, next: { seq: 2, hash: 'i' }, appends: [] })
    const outcome = cutOver({ log, clock, probe: noProbe, board, job: 'job', outputs: [] }, { to: 2, holdMs: 1000 })
    if (moved === undefined) expect((await outcome).to).toBe(2)
    else await expect(outcome, moved).rejects.toThrow(/CUT_OVER_ABORTED/)
    expect([board.control.owner, board.control.hold]).toEqual([moved === undefined ? 2 : 1, undefined])
  }
})

test('one that is given up is not decided, although both stand still; the reason is recorded', async () => {
  const log = new MemoryLog({ clock: new ManualClock(1_000_000_000) })
  const board = new VersionBoard()
  await standing(log, board)
  const world = { log, clock: new ManualClock(1_000_000_000), board, probe: noProbe, job: 'job', outputs: [] }
  const outcome = cutOver(world, { to: 2, holdMs: 1000, signal: AbortSignal.abort('by ana') })
  const reason = 'it was given up before it was decided: by ana'
  await expect(outcome).rejects.toMatchObject({ code: 'CUT_OVER_ABORTED', details: { reason } })
  expect([board.control.owner, board.control.hold]).toEqual([1, undefined])
  expect((await readEvents(log, 'job')).at(-1)).toMatchObject({ type: 'holdAborted', reason })
})

/** Two versions of two tasks each, that stand still for the next hold. @returns what their tasks write with. */
async function standing(log: MemoryLog, board: VersionBoard, factsOf: (version: number, task: number) => Partial<TaskFacts> = () => ({})) {
  const producers: Producer[] = []
  for (const version of [1, 2]) {
    const event = { type: 'registered', at: 0, version, sha256: '', parallelism: 2, fingerprint: '' } as const
    board.control = await decide(log, 'job', board.control, event)
    for (const number of [0, 1]) {
      const producer = await log.producer(`job.v${version}.task-${number}`)
      await producer.commit({ expect: { seq: 0, hash: '' }, next: { seq: 1, hash: 'h' }, appends: [] })
      board.learn(version, task(number, { held: 'hold-2', ...factsOf(version, number) }))
      producers.push(producer)
    }
  }
  return producers
}
