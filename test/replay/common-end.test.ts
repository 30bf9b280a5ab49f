import { expect, test } from 'vitest'
import { z } from 'zod'
import { ManualClock } from '../../deploy/testing/manual-clock.ts'
import { count, defineJob, sliding, topic, tumbling } from '../../index.ts'
import { atCommonEnd, type ChangedWindows, commonEndWithin, nextCommonEnd } from '../../replay/common-end.ts'
import { VersionBoard } from '../../replay/version-board.ts'
import { Random } from '../support/random.ts'
import { VersionsWorld } from './versions-world.ts'

function changed(before: number, after: number, time: 'event' | 'processing' = 'event'): ChangedWindows {
  return { what: `${before} to ${after}`, before: { everyMs: before, time }, after: { everyMs: after, time } }
}

const at = (watermark: number, processing = 0) => ({ watermark, processing })

test('a common end is one where the last windows of both ended at the same time', () => {
  const found = Array.from({ length: 12 }, (_, second) => second).filter((second) => atCommonEnd(changed(2, 6), at(second)))
  // All brute force needs: no end of the shorter ones lies between the last end of the longer ones and now.
  expect(found).toEqual([0, 1, 6, 7])
  expect(Array.from({ length: 12 }, (_, second) => atCommonEnd(changed(4, 6), at(second)))).toEqual(
    Array.from({ length: 12 }, (_, second) => second < 4),
  )
  expect(atCommonEnd(changed(5, 5), at(13))).toBe(true)
  expect(atCommonEnd(changed(2, 6, 'processing'), at(6, 9))).toBe(false)
})

test('the next one is the next multiple of both', () => {
  expect(nextCommonEnd(changed(4, 6), at(5))).toBe(12)
  expect(nextCommonEnd(changed(4, 6), at(12))).toBe(24)
  expect(nextCommonEnd(changed(86_400_000, 3_600_000), at(1_700_000_000_000))).toBe(1_700_006_400_000)
  expect(nextCommonEnd(changed(4, 6), at(Number.NEGATIVE_INFINITY))).toBeUndefined()
})

test('it is waited for, as long as somebody wants, and no longer than that', async () => {
  const world = new VersionsWorld('clicks', ['counts'])
  await world.createSources({ clicks: 1 })
  await world.deploy(1, jobOf('10s'))
  const { board, clock } = world
  const send = (second: number) => world.send('clicks', 0, [{ user: 'a', at: second * 1000 }])
  await send(13)
  await world.settle()
  const waiting = (waitMs: number, signal = new AbortController().signal) =>
    commonEndWithin(waitMs, [changed(10_000, 20_000)], { board, clock, signal })
  expect(await waiting(0)).toBe(false)
  const reached = waiting(1000)
  await send(21)
  await world.settle()
  expect(await reached).toBe(true)
  await send(31)
  await world.settle()
  const given = new AbortController()
  const over = waiting(1e9, given.signal)
  given.abort()
  expect(await over).toBe(false)
  await world.close()
  expect(await commonEndWithin(0, [changed(1, 2)], { board: new VersionBoard(), clock: new ManualClock(0), signal: given.signal })).toBe(
    false,
  )
})

const clicks = topic('clicks', {
  value: z.object({ user: z.string(), at: z.number() }),
  eventTime: (click) => click.at,
  outOfOrderness: '1s',
})
const counts = topic('counts', { value: z.object({ user: z.string(), start: z.number(), end: z.number(), clicks: z.number() }) })

function jobOf(size: string, slide?: string) {
  return defineJob('clicks', (job) => {
    job
      .from(clicks)
      .keyBy('user', (click) => click.user)
      .window('w', slide === undefined ? tumbling(size) : sliding(size, slide))
      .aggregate({ clicks: count() })
      .map(({ clicks }, { key: user, start, end }) => ({ user, start, end, clicks }))
      .to(counts)
  })
}

test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  'versions with windows of 10 s and 20 s publish each click once, switched at common ends, seed %i',
  async (seed) => {
    const random = new Random(seed)
    const world = new VersionsWorld('clicks', ['counts'], { sliceRecordsMax: 5 })
    const windows = [changed(10_000, 20_000)]
    await world.createSources({ clicks: 2 })
    await world.deploy(1, jobOf('10s'))
    await world.deploy(2, jobOf('20s'))
    const sent: { user: string; at: number }[] = []
    const send = async (partition: number, records: typeof sent) => {
      sent.push(...records)
      await world.send('clicks', partition, records)
    }
    let done = 0
    let refused = 0
    for (let now = 0; now < 400_000; now += random.int(8000)) {
      for (const partition of [0, 1])
        await send(
          partition,
          Array.from({ length: 1 + random.int(6) }, () => ({ user: 'abc'[random.int(3)]!, at: now + random.int(1000) })),
        )
      await world.turns(random.int(20))
      if (!random.chance(0.4)) continue
      if (await world.cutOver(3 - world.board.control.owner!, { changedWindows: windows })) done++
      else refused++
    }
    for (const partition of [0, 1]) await send(partition, [{ user: 'end', at: 1e9 }])
    await world.settle()
    const rows = (await world.values('counts')) as { user: string; start: number; end: number; clicks: number }[]
    for (const click of sent) {
      if (click.user === 'end') continue
      const holding = rows.filter(({ user, start, end }) => user === click.user && start <= click.at && click.at < end)
      expect(holding, JSON.stringify(click)).toHaveLength(1)
    }
    expect(rows.reduce((sum, { clicks }) => sum + clicks, 0)).toBe(sent.length - 2)
    expect(done).toBeGreaterThan(1)
    expect(refused).toBeGreaterThan(1)
    expect(JSON.stringify([...world.board.control.cutOvers.values()])).not.toContain('"seam"')
    await world.close()
  },
)

test('windows without a common end are switched only where that is accepted, and it is recorded', async () => {
  const world = new VersionsWorld('clicks', ['counts'])
  await world.createSources({ clicks: 1 })
  await world.deploy(1, jobOf('10s'))
  await world.deploy(2, jobOf('20s'))
  await world.send('clicks', 0, [{ user: 'a', at: 15_000 }])
  await world.settle()
  const changedWindows = [changed(10_000, 20_000)]
  expect(await world.cutOver(2, { changedWindows })).toBe(false)
  expect(await world.cutOver(2, { changedWindows, anywhere: true, seam: ['something else'] })).toBe(true)
  const events = (await world.values('clicks.control')) as { type: string; reason?: string; seam?: string[] }[]
  expect(events.at(-2 - 1)).toMatchObject({ type: 'holdAborted', reason: 'no common end of windows: 10000 to 20000' })
  expect(events.at(-1)).toMatchObject({ type: 'cutOver', seam: ['something else', '10000 to 20000'] })
  await world.close()
})
