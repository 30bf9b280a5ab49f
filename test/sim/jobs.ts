import { z } from 'zod'
import type { Topology } from '../../engine/model/topology.ts'
import { type Fold, type Judged, judge, sessionWindows, slidingWindows, type WindowResult } from '../../examples/reference.ts'
import { count, defineJob, output, session, sliding, sum, topic, tumbling, value as valueState } from '../../index.ts'
import type { Random } from '../support/random.ts'

/** A record of the simulated input; `text` is what stands in the log. */
export interface SimRecord {
  readonly id: number
  readonly key: string
  readonly time: number
  readonly amount: number
}

/** By source topic, by partition, in offset order. */
export type SimInput = Readonly<Record<string, readonly (readonly SimRecord[])[]>>

export interface SimJob {
  readonly kind: string
  readonly topology: Topology
  readonly sources: readonly string[]
  readonly outOfOrdernessMs: number
  readonly idleAfterMs: number | undefined
  /** What the outputs must hold; rows as canonical text. Records in `diverted` came too late because their partition was taken for idle. */
  expected(input: SimInput, diverted: ReadonlySet<number>, appendTimes: ReadonlyMap<number, number>): Expected
  /** Whether results can be told exactly although some records were diverted. */
  readonly exactWithDiverted: boolean
}

export interface Expected {
  readonly outputs: Readonly<Record<string, { readonly kind: 'stream' | 'table'; readonly rows: readonly unknown[] }>>
  readonly late: readonly number[]
  readonly deadLetters: readonly number[]
  readonly skipped: number
}

const value = z.object({ id: z.number(), key: z.string(), time: z.number(), amount: z.number() })
const windowRow = z.object({ key: z.string(), start: z.number(), end: z.number(), n: z.number(), total: z.number() })

/** A value that the job's own function refuses. */
export const poison = -1

interface Draw {
  readonly random: Random
  readonly outOfOrdernessMs: number
  readonly idleAfterMs: number | undefined
}

/** Draws a job from the seed. */
export function drawJob(draw: Draw): SimJob {
  const makers = [
    tumblingJob,
    slidingJob,
    sessionJob,
    latenessJob,
    slidingLatenessJob,
    sessionLatenessJob,
    twoWindowsJob,
    statelessJob,
    mergedJob,
    processJob,
    processingTimeJob,
  ]
  return makers[draw.random.int(makers.length)]!(draw)
}

function source(name: string, { outOfOrdernessMs, idleAfterMs }: Draw) {
  return topic(name, {
    value,
    eventTime: (record) => record.time,
    outOfOrderness: outOfOrdernessMs,
    idleAfter: idleAfterMs ?? 'never',
  })
}

/**
 * Early results in some jobs: only what stands in the end is compared, so their rows are a table. Follows from what was drawn before, so that a seed
 * stays what it was.
 */
function earlyOf(drawn: number, everyMs: number): { readonly early?: number } {
  return drawn % 2 === 0 ? { early: Math.max(1, Math.round(everyMs)) } : {}
}

function rowsOf({ early }: { readonly early?: number }) {
  const asTable = { value: windowRow, kind: 'table', key: ({ key, start }: z.infer<typeof windowRow>) => `${key}@${start}` } as const
  return early === undefined
    ? { rows: topic('rows', { value: windowRow }), output: 'stream' as const, more: '' }
    : { rows: topic('rows', asTable), output: 'table' as const, more: ', early' }
}

function tumblingJob(draw: Draw): SimJob {
  const sizeMs = 1000 * (1 + draw.random.int(5))
  const early = earlyOf(sizeMs / 1000, sizeMs / 5)
  const { rows, output, more } = rowsOf(early)
  const topology = defineJob('sim', (job) => {
    job
      .from(source('in', draw))
      .keyBy('by-key', (record) => record.key)
      .window('window', tumbling(sizeMs, early))
      .aggregate({ n: count(), total: sum((record) => record.amount) })
      .map(({ n, total }, { key, start, end }) => ({ key, start, end, n, total }))
      .to(rows)
  })
  return windowed(draw, `tumbling${more}`, topology, output, true, (records) => slidingWindows(records, { sizeMs, slideMs: sizeMs }, fold))
}

function slidingJob(draw: Draw): SimJob {
  const slideMs = 500 * (1 + draw.random.int(3))
  const sizeMs = slideMs * (1 + draw.random.int(5)) + (draw.random.chance(0.3) ? 250 : 0)
  const rows = topic('rows', { value: windowRow })
  const topology = defineJob('sim', (job) => {
    job
      .from(source('in', draw))
      .keyBy('by-key', (record) => record.key)
      .window('window', sliding(sizeMs, slideMs))
      .aggregate({ n: count(), total: sum((record) => record.amount) })
      .map(({ n, total }, { key, start, end }) => ({ key, start, end, n, total }))
      .to(rows)
  })
  return windowed(draw, 'sliding', topology, 'stream', false, (records) => slidingWindows(records, { sizeMs, slideMs }, fold))
}

function sessionJob(draw: Draw): SimJob {
  const gapMs = 300 * (1 + draw.random.int(6))
  const early = earlyOf(gapMs / 300, gapMs * 0.7)
  const { rows, output, more } = rowsOf(early)
  const topology = defineJob('sim', (job) => {
    job
      .from(source('in', draw))
      .keyBy('by-key', (record) => record.key)
      .window('window', session(gapMs, early))
      .aggregate({ n: count(), total: sum((record) => record.amount) })
      .map(({ n, total }, { key, start, end }) => ({ key, start, end, n, total }))
      .to(rows)
  })
  return windowed(draw, `session${more}`, topology, output, false, (records) => sessionWindows(records, { gapMs }, fold))
}

function latenessJob(draw: Draw): SimJob {
  const sizeMs = 1000 * (1 + draw.random.int(5))
  const allowedLatenessMs = 500 * (1 + draw.random.int(10))
  const rows = topic('rows', { value: windowRow, kind: 'table', key: ({ key, start }) => `${key}@${start}` })
  // A result that grows beyond it is taken back and not replaced: a tombstone.
  const most = draw.random.chance(0.5) ? 1 + draw.random.int(4) : Number.POSITIVE_INFINITY
  const topology = defineJob('sim', (job) => {
    job
      .from(source('in', draw))
      .keyBy('by-key', (record) => record.key)
      .window('window', tumbling(sizeMs, { allowedLateness: allowedLatenessMs }))
      .aggregate({ n: count(), total: sum((record) => record.amount) })
      .filter(({ n }) => n <= most)
      .map(({ n, total }, { key, start, end }) => ({ key, start, end, n, total }))
      .to(rows)
  })
  return windowed(draw, 'allowed lateness', topology, 'table', true, (records) => {
    const { windows, late } = slidingWindows(records, { sizeMs, slideMs: sizeMs, allowedLatenessMs }, fold)
    return { windows: windows.filter(({ result }) => result.n <= most), late }
  })
}

function slidingLatenessJob(draw: Draw): SimJob {
  const slideMs = 500 * (1 + draw.random.int(3))
  const sizeMs = slideMs * (2 + draw.random.int(3))
  const allowedLatenessMs = 500 * (1 + draw.random.int(10))
  const early = earlyOf(allowedLatenessMs / 500, slideMs * 0.7)
  const rows = topic('rows', { value: windowRow, kind: 'table', key: ({ key, start }) => `${key}@${start}` })
  const topology = defineJob('sim', (job) => {
    job
      .from(source('in', draw))
      .keyBy('by-key', (record) => record.key)
      .window('window', sliding(sizeMs, slideMs, { allowedLateness: allowedLatenessMs, ...early }))
      .aggregate({ n: count(), total: sum((record) => record.amount) })
      .map(({ n, total }, { key, start, end }) => ({ key, start, end, n, total }))
      .to(rows)
  })
  return windowed(draw, 'sliding, allowed lateness', topology, 'table', false, (records) =>
    slidingWindows(records, { sizeMs, slideMs, allowedLatenessMs }, fold),
  )
}

function sessionLatenessJob(draw: Draw): SimJob {
  const gapMs = 300 * (1 + draw.random.int(6))
  const allowedLatenessMs = 500 * (1 + draw.random.int(10))
  // A session that grows downwards has another start: the old row is withdrawn.
  const rows = topic('rows', { value: windowRow, kind: 'table', key: ({ key, start }) => `${key}@${start}` })
  const topology = defineJob('sim', (job) => {
    job
      .from(source('in', draw))
      .keyBy('by-key', (record) => record.key)
      .window('window', session(gapMs, { allowedLateness: allowedLatenessMs, ...earlyOf(allowedLatenessMs / 500, gapMs / 2) }))
      .aggregate({ n: count(), total: sum((record) => record.amount) })
      .map(({ n, total }, { key, start, end }) => ({ key, start, end, n, total }))
      .to(rows)
  })
  return windowed(draw, 'session, allowed lateness', topology, 'table', false, (records) =>
    sessionWindows(records, { gapMs, allowedLatenessMs }, fold),
  )
}

/** Counts of counts: the second window takes updates of the first one's results back and replaces them. */
function twoWindowsJob(draw: Draw): SimJob {
  const sizeMs = 1000 * (1 + draw.random.int(2))
  const allowedLatenessMs = draw.random.chance(0.5) ? 0 : 500 * (1 + draw.random.int(10))
  const outerMs = sizeMs * (2 + draw.random.int(3))
  const early = earlyOf(outerMs / sizeMs, sizeMs / 3)
  const rows = topic('rows', { value: windowRow, kind: 'table', key: ({ key, start }) => `${key}@${start}` })
  const topology = defineJob('sim', (job) => {
    job
      .from(source('in', draw))
      .keyBy('by-key', (record) => record.key)
      .window('inner', tumbling(sizeMs, { allowedLateness: allowedLatenessMs, ...early }))
      .aggregate({ n: count(), total: sum((record) => record.amount) })
      .map(({ n, total }, { key }) => ({ n, total, first: key.slice(0, 1) }))
      .keyBy('by-first', (row) => row.first)
      .window('outer', tumbling(outerMs, { allowedLateness: allowedLatenessMs, ...early }))
      .aggregate({ n: sum((row) => row.n), total: sum((row) => row.total) })
      .map(({ n, total }, { key, start, end }) => ({ key, start, end, n, total }))
      .to(rows)
  })
  return windowed(draw, `two windows${early.early === undefined ? '' : ', early'}`, topology, 'table', false, (records) => {
    const inner = slidingWindows(records, { sizeMs, slideMs: sizeMs, allowedLatenessMs }, fold)
    const results = inner.windows.map(({ key, end, result }) => ({
      value: { key, ...result },
      eventTime: end - 1,
      stamp: Number.NEGATIVE_INFINITY,
    }))
    const outer = slidingWindows(
      results,
      { sizeMs: outerMs, slideMs: outerMs },
      {
        key: (row) => String(row.key).slice(0, 1),
        begin: () => ({ n: 0, total: 0 }),
        add: (sum, row) => ({ n: sum.n + row.n, total: sum.total + row.total }),
      },
    )
    return { windows: outer.windows, late: inner.late }
  })
}

/** Two topics as one stream. */
function mergedJob(draw: Draw): SimJob {
  const sizeMs = 1000 * (1 + draw.random.int(5))
  const rows = topic('rows', { value: windowRow })
  const topology = defineJob('sim', (job) => {
    const more = job.from(source('more', draw)).filter((record) => record.amount % 3 !== 0)
    job
      .from(source('in', draw))
      .merge(more)
      .keyBy('by-key', (record) => record.key)
      .window('window', tumbling(sizeMs))
      .aggregate({ n: count(), total: sum((record) => record.amount) })
      .map(({ n, total }, { key, start, end }) => ({ key, start, end, n, total }))
      .to(rows)
  })
  const job = windowed(
    draw,
    'merged',
    topology,
    'stream',
    true,
    (records) => slidingWindows(records, { sizeMs, slideMs: sizeMs }, fold),
    (input) => [
      ...judge(input.in!, (record) => record.time, draw.outOfOrdernessMs),
      ...judge(input.more!, (record) => record.time, draw.outOfOrdernessMs).filter(({ value }) => value.amount % 3 !== 0),
    ],
  )
  return { ...job, sources: ['in', 'more'] }
}

/** No state; records that can't be read and records that the job's function refuses. */
function statelessJob(draw: Draw): SimJob {
  const policy = draw.random.chance(0.5) ? 'deadLetter' : 'skip'
  const rows = topic('rows', { value: z.object({ id: z.number(), part: z.number(), amount: z.number() }) })
  const topology = defineJob('sim', { onBad: policy }, (job) => {
    job
      .from(source('in', draw))
      .filter((record) => record.amount % 2 === 0 || record.amount === poison)
      .map((record) => {
        if (record.amount === poison) throw new Error('poison')
        return record
      })
      .flatMap(({ id, amount }) => Array.from({ length: amount % 4 }, (_, part) => ({ id, part, amount })))
      .to(rows)
  })
  return {
    kind: `stateless, ${policy}`,
    topology,
    sources: ['in'],
    outOfOrdernessMs: draw.outOfOrdernessMs,
    idleAfterMs: draw.idleAfterMs,
    exactWithDiverted: true,
    expected({ in: partitions }) {
      const all = partitions!.flat()
      const bad = all.filter(({ amount }) => amount === poison || amount === unreadable)
      const good = all.filter(({ amount }) => amount !== poison && amount !== unreadable && amount % 2 === 0)
      const made = good.flatMap(({ id, amount }) => Array.from({ length: amount % 4 }, (_, part) => ({ id, part, amount })))
      return {
        outputs: { rows: { kind: 'stream', rows: made } },
        late: [],
        deadLetters: policy === 'deadLetter' ? bad.map(({ id }) => id) : [],
        skipped: policy === 'skip' ? bad.length : 0,
      }
    },
  }
}

/** Numbers the records of each key in the order of their times; begins anew after a pause, which a timer tells of. */
function processJob(draw: Draw): SimJob {
  const pauseMs = 200 * (1 + draw.random.int(10))
  const row = z.object({ key: z.string(), n: z.number(), id: z.number(), at: z.number() })
  const rows = topic('rows', { value: row })
  const topology = defineJob('sim', (job) => {
    job
      .from(source('in', draw))
      .keyBy('by-key', (record) => record.key)
      .process('number', {
        state: { n: valueState<number>(), last: valueState<number>() },
        output: output<z.infer<typeof row>>(),
        onRecord({ key, time, state, emit, setTimer }, { id }) {
          const n = (state.n.get() ?? 0) + 1
          state.n.put(n)
          state.last.put(time)
          setTimer(time + pauseMs)
          emit({ key, n, id, at: time })
        },
        onTimer({ key, state, emit }, { at }) {
          if (state.last.get() !== at - pauseMs) return
          emit({ key, n: state.n.get() ?? 0, id: -1, at })
          state.n.clear()
        },
      })
      .to(rows)
  })
  return {
    kind: 'process',
    topology,
    sources: ['in'],
    outOfOrdernessMs: draw.outOfOrdernessMs,
    idleAfterMs: draw.idleAfterMs,
    exactWithDiverted: true,
    expected({ in: partitions }, diverted) {
      const judged = partitions!.flatMap((records, partition) =>
        judge([records], (record) => record.time, draw.outOfOrdernessMs).map((record, offset) => ({ ...record, partition, offset })),
      )
      const late = judged.filter(({ eventTime, stamp }) => eventTime < stamp)
      const taken = judged.filter(({ value, eventTime, stamp }) => eventTime >= stamp && !diverted.has(value.id))
      taken.sort((a, b) => a.eventTime - b.eventTime || a.partition - b.partition || a.offset - b.offset)
      const made: unknown[] = []
      for (const key of new Set(taken.map(({ value }) => value.key))) {
        const own = taken.filter(({ value }) => value.key === key)
        let n = 0
        own.forEach(({ value, eventTime }, i) => {
          made.push({ key, n: ++n, id: value.id, at: eventTime })
          if ((own[i + 1]?.eventTime ?? Number.POSITIVE_INFINITY) < eventTime + pauseMs) return
          made.push({ key, n, id: -1, at: eventTime + pauseMs })
          n = 0
        })
      }
      return { outputs: { rows: { kind: 'stream', rows: made } }, late: late.map(({ value }) => value.id), deadLetters: [], skipped: 0 }
    },
  }
}

/** By the time the log took the records: whatever the speed of a re-run, each counts in the window of its own append time. */
function processingTimeJob(draw: Draw): SimJob {
  const sizeMs = 10 * (1 + draw.random.int(30))
  const early = earlyOf(sizeMs / 10, sizeMs / 4)
  const { rows, output: kind, more } = rowsOf(early)
  const topology = defineJob('sim', (job) => {
    job
      .from(source('in', draw))
      .keyBy('by-key', (record) => record.key)
      .window('window', tumbling(sizeMs, { time: 'processing', ...early }))
      .aggregate({ n: count(), total: sum((record) => record.amount) })
      .map(({ n, total }, { key, start, end }) => ({ key, start, end, n, total }))
      .to(rows)
  })
  return {
    kind: `processing time${more}`,
    topology,
    sources: ['in'],
    outOfOrdernessMs: draw.outOfOrdernessMs,
    idleAfterMs: draw.idleAfterMs,
    exactWithDiverted: true,
    expected({ in: partitions }, _, appendTimes) {
      const taken = partitions!.flat().map((value) => ({ value, eventTime: appendTimes.get(value.id)!, stamp: Number.NEGATIVE_INFINITY }))
      const { windows } = slidingWindows(taken, { sizeMs, slideMs: sizeMs }, fold)
      const made = windows.map(({ key, start, end, result }) => ({ key, start, end, ...result }))
      return { outputs: { rows: { kind, rows: made } }, late: [], deadLetters: [], skipped: 0 }
    },
  }
}

/** Stands for a record whose bytes are no record of the topic. */
export const unreadable = -2

interface Total {
  readonly n: number
  readonly total: number
}

const fold: Fold<SimRecord, Total> = {
  key: (record) => record.key,
  begin: () => ({ n: 0, total: 0 }),
  add: ({ n, total }, { amount }) => ({ n: n + 1, total: total + amount }),
}

function windowed(
  draw: Draw,
  kind: string,
  topology: Topology,
  output: 'stream' | 'table',
  exactWithDiverted: boolean,
  windows: (records: readonly Judged<SimRecord>[]) => {
    readonly windows: readonly WindowResult<Total>[]
    readonly late: readonly SimRecord[]
  },
  judged: (input: SimInput) => Judged<SimRecord>[] = (input) => judge(input.in!, (record) => record.time, draw.outOfOrdernessMs),
): SimJob {
  return {
    kind,
    topology,
    sources: ['in'],
    outOfOrdernessMs: draw.outOfOrdernessMs,
    idleAfterMs: draw.idleAfterMs,
    exactWithDiverted,
    expected(input, diverted) {
      const records = judged(input).filter(({ value }) => !diverted.has(value.id))
      const found = windows(records)
      return {
        outputs: { rows: { kind: output, rows: found.windows.map(({ key, start, end, result }) => ({ key, start, end, ...result })) } },
        late: found.late.map(({ id }) => id),
        deadLetters: [],
        skipped: 0,
      }
    },
  }
}
