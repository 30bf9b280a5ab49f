import { expect, test } from 'vitest'
import { VersionObserver } from '../../../deploy/server/version-observer.ts'
import { ManualClock } from '../../../deploy/testing/manual-clock.ts'
import { BlockBuilder } from '../../../engine/block/block-builder.ts'
import { MemoryLog } from '../../../engine/log/memory/memory-log.ts'

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

test('where nothing waits lag is 0, whatever the time is; a partition without records does not hold back', async () => {
  const observer = await looked([3, 0, 1], [3, 0, 1])
  expect(observer.lag).toEqual({ records: 0, ms: 0, partition: undefined })
  expect(observer.catchUp?.withinSince).toBeDefined()
})

test('what was seen says nothing once the version runs anew', async () => {
  const observer = await looked([3], [3])
  observer.forget()
  expect(observer.catchUp).toBeUndefined()
  expect(observer.progress(false)).toBeUndefined()
})
