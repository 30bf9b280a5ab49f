import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { JournalRecord, Slice } from '../../../engine/model/slice.ts'
import { planJob } from '../../../engine/runtime/plan.ts'
import { emptyTotals } from '../../../engine/task/reports.ts'
import { count, defineJob, topic, tumbling } from '../../../index.ts'
import type { ControlEvent } from '../../../replay/control-event.ts'
import { Coverage } from '../../sim/coverage.ts'
import { checkHolds, VersionMonitor } from './version-monitor.ts'

const job = defineJob('job', (builder) => {
  builder
    .from(topic('in', { value: z.object({ at: z.number() }), eventTime: ({ at }) => at }))
    .keyBy('all', () => 'all')
    .window('w', tumbling('1s'))
    .aggregate({ n: count() })
    .map(({ n }) => ({ n }))
    .to(topic('rows', { value: z.object({ n: z.number() }) }))
})
const registered = (version: number): ControlEvent => ({ type: 'registered', at: 0, version, sha256: '', parallelism: 1, fingerprint: '' })
const hold = (id: string, at = 10): ControlEvent => ({ type: 'holdRequested', at, id, from: 1, to: 2 })
const cut = (id: string, positions: Record<string, number>, at = 20): ControlEvent => ({
  type: 'cutOver',
  at,
  id,
  from: 1,
  to: 2,
  positions,
  watermark: 5,
  processing: 0,
  ends: { 'rows/0': 7 },
})
const aborted = (id: string, at: number): ControlEvent => ({ type: 'holdAborted', at, id })

/** v1 publishes, v2 follows. */
class Watched {
  private readonly monitor = new VersionMonitor({ bounds: () => ({ start: 0, end: 7 }) }, new Coverage())
  private readonly seqs = new Map<number, number>()

  constructor() {
    for (const version of [1, 2]) {
      this.monitor.add(
        planJob(job, version, 1, () => 1),
        ['rows'],
      )
      this.decides(registered(version))
    }
  }

  decides(control: ControlEvent): this {
    this.monitor.took({ producer: 'job.control', topics: ['job.control'], journal: undefined, control })
    return this
  }

  /** A slice of a version. @param to offset it takes the source up to. */
  runs(
    version: number,
    { to, watermark = 0, topics = [], ...more }: { to?: number; watermark?: number; topics?: string[] } & Partial<Slice>,
  ): this {
    const seq = (this.seqs.get(version) ?? 0) + 1
    this.seqs.set(version, seq)
    const ranges = to === undefined ? [] : [{ input: 0, from: 0, to }]
    const slice: Slice = { seq, ranges, processing: 0, idle: [], ...more }
    const record: JournalRecord = {
      slice,
      watermark,
      input: [],
      output: { count: 0, digest: '' },
      totals: emptyTotals(),
      due: false,
      control: 2,
      semantics: 1,
      node: '',
      hash: '',
    }
    this.monitor.took({
      producer: `job.v${version}.task-0`,
      topics: [...topics, `job.v${version}.journal`],
      journal: { task: 0, record },
      control: undefined,
    })
    return this
  }

  get broken(): string | undefined {
    return this.monitor.broken?.message
  }
}

const mine = (version: number) => [`job.v${version}.private.rows`]

describe('L6', () => {
  test('holds for an owner that publishes, a follower behind it, and a cut-over of two that stand still', () => {
    const watched = new Watched()
    watched.runs(1, { to: 3, watermark: 5, topics: ['rows'] }).runs(2, { to: 3, watermark: 5, topics: mine(2) })
    watched.decides(hold('a')).runs(1, { hold: 'a', watermark: 5 }).runs(2, { hold: 'a', watermark: 5 })
    watched.decides(cut('a', { 'in/0': 3 }))
    watched.runs(2, { align: true, topics: mine(2) }).runs(2, { to: 9, watermark: 8, topics: ['rows'] })
    watched.runs(1, { to: 9, watermark: 8, topics: mine(1) })
    expect(watched.broken).toBeUndefined()
  })

  test('is broken by a follower that publishes', () => {
    expect(new Watched().runs(1, { to: 3 }).runs(2, { to: 3, topics: ['rows'] }).broken).toMatch(/L6 one owner/)
  })

  test('is broken by late records and dead letters of a follower in public', () => {
    expect(new Watched().runs(2, { topics: ['job.late'] }).broken).toMatch(/L6 one owner/)
    expect(new Watched().runs(2, { topics: ['job.dead-letters'] }).broken).toMatch(/L6 one owner/)
  })

  test('is broken by an owner that keeps something to itself', () => {
    expect(new Watched().runs(1, { to: 3, topics: mine(1) }).broken).toMatch(/gives something privately/)
  })

  test('is broken by an owner that aligns in public, and by one that stands still and writes', () => {
    expect(new Watched().runs(1, { align: true, topics: ['rows'] }).broken).toMatch(/L6 one owner/)
    expect(new Watched().runs(1, { hold: 'a', topics: ['rows'] }).broken).toMatch(/stands still and writes/)
  })

  test('is broken by a follower ahead in offsets, or in time', () => {
    expect(new Watched().runs(1, { to: 3 }).runs(2, { to: 4 }).broken).toMatch(/L6 nobody ahead/)
    expect(new Watched().runs(1, { to: 3, watermark: 5 }).runs(2, { to: 3, watermark: 6 }).broken).toMatch(/L6 nobody ahead/)
  })

  test('is broken by a cut-over while one of the two does not stand still for it', () => {
    const held = () => new Watched().runs(1, { to: 3 }).runs(2, { to: 3 }).decides(hold('a'))
    expect(
      held()
        .runs(1, { hold: 'a' })
        .decides(cut('a', { 'in/0': 3 })).broken,
    ).toMatch(/v2 does not stand still/)
    expect(
      held()
        .runs(1, { hold: 'b' })
        .runs(2, { hold: 'a' })
        .decides(cut('a', { 'in/0': 3 })).broken,
    ).toMatch(/v1 does not stand/)
    const both = held().runs(1, { hold: 'a' }).runs(2, { hold: 'a' })
    expect(both.decides(cut('a', { 'in/0': 2 })).broken).toMatch(/the record says 2/)
  })

  test('is broken by a decision whose hold is not open', () => {
    expect(new Watched().decides(cut('a', {})).broken).toMatch(/no hold is open/)
    expect(new Watched().decides(hold('a')).decides(aborted('b', 11)).broken).toMatch(/while a is open/)
  })
})

test('L7 is broken by a version that writes what is of another one', () => {
  const watched = new Watched().runs(1, { to: 3, topics: ['rows'] }).runs(2, { to: 3, topics: mine(2) })
  expect(watched.broken).toBeUndefined()
  expect(watched.runs(2, { topics: ['job.v1.retry'] }).broken).toMatch(/L7 no shared names/)
})

describe('L10', () => {
  const bounds = new Map([['a', 100]])
  const all = () => false

  test('holds for a hold that ends in time', () => {
    expect(checkHolds([hold('a', 10), cut('a', {}, 110)], bounds, all)).toBe(1)
    expect(checkHolds([hold('a', 10), aborted('a', 110)], bounds, all)).toBe(1)
  })

  test('is broken by one that lasts longer, and by one that never ends', () => {
    expect(() => checkHolds([hold('a', 10), aborted('a', 111)], bounds, all)).toThrow(/open for 101 ms/)
    expect(() => checkHolds([hold('a', 10), aborted('b', 11)], bounds, all)).toThrow(/open for ever/)
  })

  test('says nothing of a hold whose leader was gone', () => {
    expect(checkHolds([hold('a', 10), aborted('a', 500)], bounds, (event) => event.type === 'holdAborted')).toBe(0)
  })
})
