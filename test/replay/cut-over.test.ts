import { expect, test } from 'vitest'
import { z } from 'zod'
import { jobTopics } from '../../engine/runtime/plan.ts'
import { count, defineJob, sliding, topic, tumbling } from '../../index.ts'
import { applyEvent, foldControl } from '../../replay/control-state.ts'
import { holdLimit } from '../../replay/cut-over.ts'
import { headerOf } from '../sim/laws.ts'
import { Random } from '../support/random.ts'
import { VersionsWorld } from './versions-world.ts'

const outOfOrderness = 3000

const clicks = topic('clicks', {
  value: z.object({ user: z.string(), at: z.number() }),
  eventTime: (click) => click.at,
  outOfOrderness,
})
const counts = topic('counts', { value: z.object({ user: z.string(), end: z.number(), clicks: z.number() }) })

const spec = { tumbling: { size: 10_000, slide: 10_000 }, sliding: { size: 10_000, slide: 4000 } } as const

const jobOf = (kind: keyof typeof spec) =>
  defineJob('clicks', (job) => {
    job
      .from(clicks)
      .keyBy('user', (click) => click.user)
      .window('w', kind === 'tumbling' ? tumbling('10s') : sliding('10s', '4s'))
      .aggregate({ clicks: count() })
      .map(({ clicks }, window) => ({ user: window.key, end: window.end, clicks }))
      .to(counts)
  })

interface Click {
  readonly user: string
  readonly at: number
}

interface Row {
  readonly user: string
  readonly end: number
  readonly clicks: number
}

/** A record counts in a window unless its own partition had passed the window's end before: brute force. */
function oracle(kind: keyof typeof spec, partitions: readonly (readonly Click[])[]): string[] {
  const { size, slide } = spec[kind]
  const found = new Map<string, number>()
  for (const records of partitions) {
    let passed = Number.NEGATIVE_INFINITY
    for (const { user, at } of records) {
      for (let start = Math.floor(at / slide) * slide; start > at - size; start -= slide) {
        const end = start + size
        if (end > passed) found.set(`${user} ${end}`, (found.get(`${user} ${end}`) ?? 0) + 1)
      }
      passed = Math.max(passed, at - outOfOrderness)
    }
  }
  return [...found].map(([at, clicks]) => `${at} ${clicks}`)
}

test('a version comes as far as an owner that stopped, although what lies beyond is far behind in time', async () => {
  const world = new VersionsWorld('clicks', ['counts'], { maxDriftMs: 1000 })
  await world.createSources({ clicks: 2 })
  await world.deploy(1, jobOf('tumbling'))
  await world.send('clicks', 1, [{ user: 'a', at: 100_000 }])
  await world.settle()
  await world.kill(1)
  // The owner will never take this one.
  await world.send('clicks', 0, [{ user: 'a', at: 0 }])
  await world.deploy(2, jobOf('tumbling'))
  await world.settle()
  expect(world.board.facts(2)!.positions.get('clicks/1')).toBe(1)
  expect(world.board.facts(2)!.positions.get('clicks/0')).toBe(0)
  await world.close()
})

test('a task that reads nothing tells those behind it that no more comes, also one that followed another version', async () => {
  const world = new VersionsWorld('clicks', ['counts'])
  await world.createSources({ clicks: 1 })
  const byClock = defineJob('clicks', (job) => {
    job
      .from(clicks)
      .keyBy('user', (click) => click.user)
      .window('w', tumbling('10s', { time: 'processing' }))
      .aggregate({ clicks: count() })
      .map(({ clicks }, window) => ({ user: window.key, end: window.end, clicks }))
      .to(counts)
  })
  await world.deploy(1, byClock, 2)
  await world.deploy(2, byClock, 2)
  await world.settle()
  expect(await world.cutOver(2)).toBe(true)
  await world.settle()
  await world.kill(2)
  await world.send('clicks', 0, [{ user: 'a', at: 0 }])
  await world.complete()
  expect(await world.values('counts')).toMatchObject([{ user: 'a', clicks: 1 }])
  await world.close()
})

test('a record of a partition the former owner took for idle is told of, also where it counts in some of its windows', async () => {
  const world = new VersionsWorld('clicks', ['counts'])
  const late = jobTopics('clicks', 1).late
  await world.createSources({ clicks: 2 })
  await world.deploy(1, jobOf('sliding'))
  await world.send('clicks', 1, [{ user: 'a', at: 1000 }])
  await world.send('clicks', 0, [{ user: 'b', at: 20_000 }])
  await world.settle()
  world.clock.advance(70_000)
  await world.settle()
  await world.send('clicks', 0, [{ user: 'b', at: 20_001 }])
  await world.settle()
  expect(world.board.facts(1)!.watermark).toBe(17_001)
  await world.deploy(2, jobOf('sliding'))
  await world.settle()
  expect(await world.cutOver(2)).toBe(true)
  await world.settle()
  // Its own partition allows it everywhere, but the windows that end at 10 and 14 s were published without it.
  await world.send('clicks', 1, [{ user: 'a', at: 9000 }])
  await world.complete()
  const rows = (await world.values('counts')) as Row[]
  expect(rows.filter(({ user }) => user === 'a').map(({ end, clicks }) => [end, clicks])).toEqual([
    [2000, 1],
    [6000, 1],
    [10_000, 1],
    [18_000, 1],
  ])
  expect((await world.records(late)).map((record) => [String(record.value), headerOf(record, 'reprise.reason')])).toEqual([
    [expect.stringContaining('9000'), 'idle'],
  ])
  await world.close()
})

test('an owner that publishes nothing may be held until it has recovered, also while it runs for an attempt before', () => {
  const at = 0
  const running = foldControl([{ type: 'registered', at, version: 1, sha256: '', parallelism: 1, fingerprint: '' }])
  const stopped = applyEvent(running, { type: 'stopped', at, version: 1, code: 'OPERATOR_THREW' })
  const limits = { holdMs: 500, recoveryMs: 30_000 }
  expect(holdLimit(running, true, limits)).toBe(500)
  expect(holdLimit(running, false, limits)).toBe(30_000)
  expect(holdLimit(stopped, true, limits)).toBe(30_000)
})

const end = 10_000_000

for (const kind of ['tumbling', 'sliding'] as const) {
  for (let seed = 1; seed <= 10; seed++) {
    test(`${kind}: the public output of versions that take turns is that of one, seed ${seed}`, async () => {
      const random = new Random(seed)
      const world = new VersionsWorld('clicks', ['counts'], { sliceRecordsMax: 7, checkpointEveryMs: 50 })
      const partitions: Click[][] = Array.from({ length: 1 + random.int(3) }, () => [])
      await world.createSources({ clicks: partitions.length })
      await world.deploy(1, jobOf(kind))
      let now = 0
      let deployed = 1
      let cuts = 0
      for (let step = 0; step < 40; step++) {
        now += random.int(3000)
        const partition = random.int(partitions.length)
        const records = Array.from({ length: random.int(12) }, () => ({
          user: 'abc'[random.int(3)]!,
          at: Math.max(0, now + random.int(2000) - (random.chance(0.05) ? random.int(30_000) : random.int(2000))),
        }))
        partitions[partition]!.push(...records)
        if (records.length > 0) await world.send('clicks', partition, records)
        if (random.chance(0.1) && deployed < 3) await world.deploy(++deployed, jobOf(kind))
        if (random.chance(0.15)) await world.crash(1 + random.int(deployed))
        world.clock.advance(random.int(20))
        await world.turns(random.int(6))
        if (deployed > 1 && random.chance(0.25)) {
          const to = 1 + random.int(deployed)
          if (to !== world.board.control.owner) {
            if (random.chance(0.3)) void world.turns(random.int(10)).then(() => world.crash(to))
            if (await world.cutOver(to)) cuts++
          }
        }
      }
      for (const [partition, records] of partitions.entries()) {
        records.push({ user: 'end', at: end })
        await world.send('clicks', partition, [{ user: 'end', at: end }])
      }
      await world.settle()
      const expected = oracle(kind, partitions).filter((row) => !row.startsWith('end'))
      const isExact = (rows: Row[]) => {
        expect(rows.map(({ user, end, clicks }) => `${user} ${end} ${clicks}`).sort()).toEqual(expected.sort())
        for (const user of 'abc') {
          const ends = rows.filter((row) => row.user === user).map((row) => row.end)
          expect(ends).toEqual([...ends].sort((a, b) => a - b))
        }
      }
      isExact((await world.values('counts')) as Row[])
      // And so is what each of them gave by itself, in private and in public, in the order it gave it.
      for (let version = 1; version <= deployed; version++)
        isExact((await world.recordOf(version, 'counts')).map(({ value }) => JSON.parse(Buffer.from(value!).toString()) as Row))
      if (deployed > 1 && cuts > 0) expect(world.board.control.cutOvers.size).toBeGreaterThan(0)
      await world.close()
    })
  }
}
