import { expect, test } from 'vitest'
import { VersionObserver } from '../../../deploy/server/version-observer.ts'
import { viewOfPositions } from '../../../deploy/server/views.ts'
import { ManualClock } from '../../../deploy/testing/manual-clock.ts'
import { BlockBuilder } from '../../../engine/block/block-builder.ts'
import { MemoryLog } from '../../../engine/log/memory/memory-log.ts'

const running = { health: 'running', healthSince: 0 } as const
const policy = { maxLagRecords: 10, maxLagMs: 500, holdMs: 0 }

/** So many records in each partition, a second apart by partition. */
async function logWith(...counts: number[]) {
  const clock = new ManualClock(1_000_000)
  const log = new MemoryLog({ clock })
  await log.createTopic({ name: 'in', partitions: counts.length, kind: 'stream' })
  const producer = await log.producer('test')
  let seq = 0
  for (const [partition, count] of counts.entries()) {
    clock.advance(1000)
    if (count === 0) continue
    const builder = new BlockBuilder()
    for (let n = 0; n < count; n++) builder.add({ key: null, value: Buffer.from(String(n)), eventTime: 0 })
    await producer.commit({
      expect: { seq, hash: '' },
      next: { seq: ++seq, hash: '' },
      appends: [{ topic: 'in', partition, block: builder.finish() }],
    })
  }
  return { log, clock }
}

async function looked(counts: number[], taken: number[]) {
  const { log, clock } = await logWith(...counts)
  const observer = new VersionObserver()
  const positions = new Map(taken.map((at, partition) => [`in/${partition}`, at]))
  await observer.look(log, { positions, starts: {} }, policy, clock.now())
  return observer
}

test('lag is that of the slowest partition, in records and in time, never the mean', async () => {
  const { lag, partitions } = await looked([4, 9, 2], [3, 2, 2])
  expect(lag).toEqual({ records: 7, ms: 2000, partition: 'in/1' })
  expect(partitions.map(({ lag, lagMs }) => [lag, lagMs])).toEqual([
    [1, 2000],
    [7, 1000],
    [0, 0],
  ])
})

test('partitions are shown in their order, whichever task told of them first', async () => {
  const { log, clock } = await logWith(...Array.from({ length: 11 }, () => 1))
  const observer = new VersionObserver()
  const told = [10, 0, 3, 6, 9, 1, 4, 7, 2, 5, 8]
  await observer.look(log, { positions: new Map(told.map((partition) => [`in/${partition}`, 0])), starts: {} }, policy, clock.now())
  expect(observer.partitions.map(({ partition }) => partition)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  expect(Object.keys(viewOfPositions(told.map((partition) => [`in/${partition}`, 0]))).at(-1)).toBe('in/10')
})

test('where nothing waits lag is 0, whatever the time is; a partition without records does not hold back', async () => {
  const observer = await looked([3, 0, 1], [3, 0, 1])
  expect(observer.lag).toEqual({ records: 0, ms: 0, partition: undefined })
  expect(observer.catchUp?.withinSince).toBeDefined()
})

test('what was seen says nothing once the version runs anew', async () => {
  const observer = await looked([3], [3])
  observer.forget()
  expect(observer.catchUp).toBeUndefined()
  expect(observer.progress(running)).toBeUndefined()
})

test('one that does not run is seen where it stands, and not judged', async () => {
  const { log, clock } = await logWith(5)
  const observer = new VersionObserver()
  await observer.look(log, { positions: new Map([['in/0', 5]]), starts: {} }, undefined, clock.now())
  expect([observer.lag?.records, observer.catchUp, observer.progress(running)]).toEqual([0, undefined, undefined])
})

test('while it is paused its rate is 0, and the pause is no part of what it is measured by afterwards', async () => {
  const { log, clock } = await logWith(500)
  const observer = new VersionObserver()
  let [position, healthSince] = [0, 0]
  /** A look each second; it takes so many before each. */
  const looks = async (seconds: number, taken: number) => {
    for (let second = 0; second < seconds; second++) {
      clock.advance(1000)
      position += taken
      await observer.look(log, { positions: new Map([['in/0', position]]), starts: {} }, policy, clock.now())
    }
  }
  await looks(10, 10)
  expect(observer.progress(running)).toMatchObject({ recordsPerSecond: 10, eta: { state: 'estimated', seconds: 40 } })
  healthSince = clock.now() + 500
  const paused = { health: 'paused', healthSince } as const
  // At once, not when it has sunk in.
  expect(observer.progress(paused)).toMatchObject({ recordsPerSecond: 0, eta: { state: 'paused' } })
  await looks(1, 10)
  await looks(9, 0)
  expect(observer.progress(paused)).toMatchObject({ recordsPerSecond: 0, headPerSecond: 0, netPerSecond: 0, eta: { state: 'paused' } })
  healthSince = clock.now() + 500
  const resumed = { health: 'running', healthSince } as const
  expect(observer.progress(resumed)).toMatchObject({ ratio: 110 / 500, recordsPerSecond: undefined, eta: { state: 'computing' } })
  await looks(4, 10)
  expect(observer.progress(resumed)).toMatchObject({ recordsPerSecond: 10, eta: { state: 'estimated', seconds: 35 } })
})

test('its pace is told by what it took while enough waited for it all along, and nobody held it back', async () => {
  const { log } = await logWith(10_000)
  const paceOf = async (looks: readonly (readonly [at: number, taken: number])[], free = true) => {
    const observer = new VersionObserver()
    for (const [at, taken] of looks)
      await observer.look(log, { positions: new Map([['in/0', taken]]), starts: {} }, policy, at, undefined, free)
    return observer.behind
  }
  const none = { records: 0, seconds: 0 }
  const replaying = [
    [0, 1000],
    [500, 4000],
    [1000, 8000],
  ] as const
  expect(await paceOf(replaying)).toEqual({ records: 7000, seconds: 1 })
  // It came to the end somewhere in between, and waited.
  expect(await paceOf([...replaying, [5000, 10_000]])).toEqual({ records: 7000, seconds: 1 })
  expect(await paceOf(replaying, false)).toEqual(none)
  // Live: some are on their way at each look.
  const live = [
    [0, 9500],
    [500, 9600],
  ] as const
  expect(await paceOf(live)).toEqual(none)
})
