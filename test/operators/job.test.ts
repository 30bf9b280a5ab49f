import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { StreamError } from '../../engine/errors.ts'
import {
  avg,
  count,
  defineJob,
  type JobBuilder,
  max,
  output,
  reduce,
  session,
  sliding,
  string,
  topic,
  tumbling,
  value,
} from '../../index.ts'
import { fingerprint } from '../../operators/fingerprint.ts'

const flights = topic('flights', {
  value: z.object({ origin: z.string(), delay: z.number(), scheduledAt: z.number() }),
  key: (flight) => flight.origin,
  eventTime: (flight) => flight.scheduledAt,
  outOfOrderness: '1h',
})
const delays = topic('delays', { kind: 'table', codec: 'json' })
const lines = topic('lines', { codec: 'json' })
const late = topic('late-flights', { codec: 'json' })
const alerts = topic('alerts', { codec: 'json' })

type Flight = { origin: string; delay: number; scheduledAt: number }
const byOrigin = (job: JobBuilder) => job.from(flights).keyBy('by-origin', (flight) => flight.origin)

describe('a job', () => {
  test('is a list of nodes, inputs before readers', () => {
    const job = defineJob('airport-delays', (job) => {
      byOrigin(job)
        .window('daily', tumbling('1d', { allowedLateness: '1h', late }))
        .aggregate({ flights: count(), mean: avg((flight) => flight.delay) })
        .map((row, window) => ({ airport: window.key, ...row }))
        .to(delays)
    })
    expect(job.job).toBe('airport-delays')
    expect(job.nodes).toMatchObject([
      { id: 0, kind: 'source', name: 'source.flights', detail: 'out of order by up to 1h, idle after 1m', topic: flights.definition },
      { id: 1, kind: 'keyBy', name: 'by-origin', input: 0 },
      {
        id: 2,
        kind: 'operator',
        type: 'window',
        name: 'daily',
        detail: 'tumbling 1d, allowed lateness 1h: flights count, mean avg',
        inputs: [1],
        stores: ['daily'],
        orderDependent: false,
        processingTime: false,
        sideOutputs: { late: late.definition },
      },
      { id: 3, kind: 'operator', type: 'map', name: 'map.3', inputs: [2], stores: [] },
      { id: 4, kind: 'sink', name: 'sink.delays', input: 3, topic: delays.definition },
    ])
  })

  test('reads a topic once, however often it is asked for', () => {
    const job = defineJob('twice', (job) => {
      job.from(flights).to(lines)
      job
        .from(flights)
        .map(() => null)
        .to(delays)
    })
    expect(job.nodes.map(({ name }) => name)).toEqual(['source.flights', 'sink.lines', 'map.2', 'sink.delays'])
  })

  test('may write to one topic from several places', () => {
    const job = defineJob('twice', (job) => {
      job.from(flights).to(lines)
      job
        .from(flights)
        .filter((flight) => flight.delay > 0)
        .to(lines)
    })
    expect(job.nodes.map(({ name }) => name)).toEqual(['source.flights', 'sink.lines', 'filter.2', 'sink.lines#3'])
  })

  test('takes rows of a window for plain values everywhere but in map and filter', () => {
    const job = defineJob('rows', (job) => {
      const rows = byOrigin(job).window('daily', tumbling('1d')).aggregate({ flights: count() })
      rows.to(lines)
      rows
        .filter((row, window) => row.flights > 1 && window.end > 0)
        .keyBy('all', () => 'all')
        .table('latest')
      rows.peek(() => {})
    })
    const types = job.nodes.map((node) => [node.name, node.kind === 'operator' ? node.inputs : node.kind === 'source' ? [] : [node.input]])
    expect(types).toEqual([
      ['source.flights', []],
      ['by-origin', [0]],
      ['daily', [1]],
      ['rows.3', [2]],
      ['sink.lines', [3]],
      ['filter.5', [2]],
      ['rows.6', [5]],
      ['all', [6]],
      ['latest', [7]],
      ['peek.9', [3]],
    ])
  })

  test('gives its policy to all that have none: operator before topic before job', () => {
    const careless = topic('careless', { codec: string(), onBad: 'skip' })
    const policies = (settings: object) =>
      defineJob('policies', settings, (job) => {
        job
          .from(careless)
          .map((line) => line, { onBad: 'deadLetter' })
          .merge(job.from(flights, { onBad: 'fail' }))
          .to(lines)
      }).nodes.map(({ onBad }) => onBad)
    expect(policies({})).toEqual(['skip', 'deadLetter', 'fail', 'fail', 'fail'])
    expect(policies({ onBad: 'deadLetter' })).toEqual(['skip', 'deadLetter', 'fail', 'deadLetter', 'deadLetter'])
  })

  test('marks operators that depend on the order of arrival or fire by processing time', () => {
    const job = defineJob('marks', (job) => {
      const keyed = byOrigin(job)
      keyed.process('arrival', { order: 'arrival', sideOutputs: { alerts }, onRecord() {} })
      keyed.process('clock', { onRecord() {}, onProcessingTimer() {} })
      keyed.process('plain', { state: { a: value<number>({ ttl: 1 }) }, onRecord() {}, onTimer() {}, late })
      keyed
        .window('minutes', tumbling('1m', { time: 'processing' }))
        .aggregate({ n: count() })
        .to(lines)
      const updated = keyed
        .window('daily', sliding('1d', '1h', { allowedLateness: '1h', early: '5m' }))
        .aggregate({ n: count() })
        .map(({ n }) => n)
      updated.process('too-early', { allowedLateness: '59m', onRecord() {} })
      updated.process('in-time', { allowedLateness: '1h', onRecord() {} })
    })
    const found = job.nodes.flatMap((node) => (node.kind === 'operator' && ['window', 'process'].includes(node.type) ? [node] : []))
    expect(found.map(({ name, orderDependent, processingTime }) => [name, orderDependent, processingTime])).toEqual([
      ['arrival', true, false],
      ['clock', false, true],
      ['plain', false, false],
      ['minutes', false, true],
      ['daily', false, false],
      ['too-early', true, false],
      ['in-time', false, false],
    ])
    expect(found.find(({ name }) => name === 'plain')).toMatchObject({
      detail: 'by event time, a value for 1ms',
      stores: ['plain.state.a', 'plain.records', 'plain.timers', 'plain.expiry'],
      sideOutputs: { late: late.definition },
    })
  })

  test('has a stream for each branch and side output', () => {
    const job = defineJob('branches', (job) => {
      const { big, otherwise } = job.from(flights).split({ big: (flight) => flight.delay > 10, small: (flight) => flight.delay > 0 })
      big.to(lines)
      const results = otherwise
        .keyBy('by-origin', (flight) => flight.origin)
        .process('alerts', { output: output<number>(), sideOutputs: { loud: output<string>(), alerts }, onRecord() {} })
      results.to(lines)
      results.sideOutput('loud').to(delays)
    })
    expect(job.nodes.map((node) => [node.name, node.detail])).toEqual([
      ['source.flights', 'out of order by up to 1h, idle after 1m'],
      ['split.1', 'big, small'],
      ['branch.2', 'big'],
      ['branch.3', 'small'],
      ['branch.4', 'otherwise'],
      ['sink.lines', ''],
      ['by-origin', ''],
      ['alerts', 'by event time'],
      ['branch.8', 'main'],
      ['branch.9', 'loud'],
      ['sink.lines#10', ''],
      ['sink.delays', ''],
    ])
  })
})

describe('the fingerprint of a job', () => {
  const job = (days: number, name = 'daily') =>
    defineJob('job', (job) => {
      byOrigin(job)
        .window(name, tumbling(`${days}d`))
        .aggregate({ n: count() })
        .to(lines)
    })
  test('is the same for the same structure', () => expect(fingerprint(job(1))).toBe(fingerprint(job(1))))
  test('is another one for another window, name or aggregate', () => {
    const other = defineJob('job', (job) => {
      byOrigin(job)
        .window('daily', tumbling('1d'))
        .aggregate({ n: max((flight) => flight.delay) })
        .to(lines)
    })
    const early = defineJob('job', (job) => {
      byOrigin(job)
        .window('daily', tumbling('1d', { early: '1h' }))
        .aggregate({ n: count() })
        .to(lines)
    })
    expect(early.nodes[2]).toMatchObject({
      detail: 'tumbling 1d, early every 1h: n count',
      stores: ['daily', 'daily.changed', 'daily.early'],
    })
    expect(new Set([job(1), job(2), job(1, 'other'), other, early].map(fingerprint)).size).toBe(5)
  })
})

describe('a wrong job is refused with place, reason and fix', () => {
  const refused: [string, Record<string, unknown>, (job: Untyped) => unknown][] = [
    ['no source', { reason: 'the job reads nothing' }, () => {}],
    ['no output', { reason: 'the job writes nothing' }, (job) => job.from(flights)],
    ['an output that is forgotten', { operator: 'map.1', reason: 'nothing reads what this gives' }, (job) => {
      job.from(flights).map(() => 1)
      job.from(flights).to(lines)
    }],
    ['a window without a key', { operator: 'daily', type: 'window' }, (job) => job.from(flights).window('daily', tumbling('1d'))],
    ['a process without a key', { operator: 'p', type: 'process' }, (job) => job.from(flights).process('p', { onRecord() {} })],
    ['a table without a key', { operator: 't', type: 'table' }, (job) => job.from(flights).table('t')],
    ['a key that is lost in a merge', { operator: 'daily' }, (job) => keyed(job).merge(job.from(flights)).window('daily', tumbling('1d'))],
    ['an unnamed keyBy', { type: 'keyBy', reason: 'this keyBy has no name' }, (job) => job.from(flights).keyBy((flight: Flight) => flight.origin)],
    ['an unnamed window', { type: 'window' }, (job) => keyed(job).window(tumbling('1d'))],
    ['an unnamed process', { type: 'process' }, (job) => keyed(job).process({ onRecord() {} })],
    ['an empty name', { type: 'table' }, (job) => keyed(job).table('')],
    ['a name that no store can have', { operator: 'a.b' }, (job) => keyed(job).table('a.b')],
    ['one name for two operators', { operator: 'by-origin', reason: 'two operators have this name' }, (job) => keyed(job).table('by-origin')],
    ['one window aggregated twice', { operator: 'w', reason: 'two operators have this name' }, (job) => {
      const window = keyed(job).window('w', tumbling('1d'))
      window.aggregate({ n: count() }).to(lines)
      window.aggregate({ m: count() }).to(lines)
    }],
    ['aggregators that can not take back after a window that updates', { operator: 'weekly', aggregators: ['most reduce'] }, (job) =>
      keyed(job)
        .window('daily', tumbling('1d', { allowedLateness: '1h' }))
        .aggregate({ n: count() })
        .window('weekly', tumbling('7d'))
        .aggregate({ most: notRetractable })],
    ['sessions after a window that updates', { operator: 'sessions' }, (job) =>
      keyed(job).window('daily', tumbling('1d', { allowedLateness: '1h' })).aggregate({ n: count() }).map((row: unknown) => row).window('sessions', session('2d')).aggregate({ n: count() })],
    ['aggregators that can not take back after early results', { operator: 'weekly', aggregators: ['most reduce'] }, (job) =>
      keyed(job).window('daily', tumbling('1d', { early: '1h' })).aggregate({ n: count() }).window('weekly', tumbling('7d')).aggregate({ most: notRetractable })],
    ['a window by processing time after early results', { operator: 'weekly' }, (job) =>
      keyed(job).window('daily', tumbling('1d', { early: '1h' })).aggregate({ n: count() }).window('weekly', tumbling('7d', { time: 'processing' })).aggregate({ n: count() })],
    ['an aggregation of nothing', { operator: 'w' }, (job) => keyed(job).window('w', tumbling('1d')).aggregate({})],
    ['writing what is read', { topic: 'flights', operator: 'sink.flights' }, (job) => job.from(flights).to(flights)],
    ['writing what is read to a side output', { topic: 'flights', operator: 'p' }, (job) => keyed(job).process('p', { sideOutputs: { again: flights }, onRecord() {} })],
    ['two definitions of one output', { topic: 'lines' }, (job) => {
      job.from(flights).to(lines)
      job.from(flights).to(topic('lines', { codec: string() }))
    }],
    ['two definitions of one source', { topic: 'flights' }, (job) => {
      job.from(flights).to(lines)
      job.from(topic('flights', { codec: 'json' })).to(lines)
    }],
    ['two policies for one source', { topic: 'flights', onBad: ['fail', 'skip'] }, (job) => {
      job.from(flights).to(lines)
      job.from(flights, { onBad: 'skip' }).to(lines)
    }],
    ["the job's own topics", { topic: 'wrong.late' }, (job) => job.from(flights).to(topic('wrong.late', { codec: 'json' }))],
    ['an output that can only be read', { topic: 'one-way', codec: 'json' }, (job) => job.from(flights).to(topic('one-way', { value: z.string().transform(Number) }))],
    ['a table read as a stream', { topic: 'delays' }, (job) => job.from(delays)],
    ['a stream read as a table', { topic: 'flights' }, (job) => job.table('t', flights)],
    ['a source that is no topic', { given: 'flights' }, (job) => job.from('flights')],
    ['an output that is no topic', { given: 'undefined' }, (job) => job.from(flights).to(undefined)],
    ['a function that is none', { type: 'map', given: 'delay' }, (job) => job.from(flights).map('delay')],
    ['an unknown policy', { onBad: 'ignore' }, (job) => job.from(flights).map(() => 1, { onBad: 'ignore' })],
    ['branches without one', { type: 'split' }, (job) => job.from(flights).split({})],
    ['a branch of a reserved name', { type: 'split' }, (job) => job.from(flights).split({ otherwise: () => true })],
    ['a branch named by a number', { branch: '1' }, (job) => job.from(flights).split({ 1: () => true })],
    ['a process without functions', { operator: 'p' }, (job) => keyed(job).process('p', {})],
    ['a process with a timer function that is none', { operator: 'p' }, (job) => keyed(job).process('p', { onRecord() {}, onTimer: 1 })],
    ['a process in an unknown order', { operator: 'p', order: 'random' }, (job) => keyed(job).process('p', { order: 'random', onRecord() {} })],
    ['state that is none', { operator: 'p', state: 'sum' }, (job) => keyed(job).process('p', { state: { sum: 0 }, onRecord() {} })],
    ['a side output named late', { operator: 'p', port: 'late' }, (job) => keyed(job).process('p', { sideOutputs: { late: output() }, onRecord() {} })],
    ['a side output that is none', { operator: 'p', port: 'a' }, (job) => keyed(job).process('p', { sideOutputs: { a: 'alerts' }, onRecord() {} })],
    ['a side output that is not there', { operator: 'p', port: 'b' }, (job) => keyed(job).process('p', { onRecord() {} }).sideOutput('b')],
    ['a window that ends before a process upstream lets go of its records', { operator: 'w', upstream: '1h' }, (job) =>
      keyed(job).process('p', { allowedLateness: '1h', onRecord() {} }).window('w', tumbling('1d')).aggregate({ n: count() })],
    ['a merge with a stream of another job', { type: 'merge' }, (job) => {
      let stranger: unknown
      defineJob('other', (other) => {
        const stream = other.from(flights)
        stream.to(lines)
        stranger = stream
      })
      job.from(flights).merge(stranger)
    }],
    ['a promise', { reason: 'the function that builds the job gave a promise' }, async (job) => job.from(flights).to(lines)],
  ] // biome-ignore format: one line each

  test.each(refused)('%s', (_, details, build) => {
    const error = errorOf(() => defineJob('wrong', build as never))
    expect(error).toMatchObject({ code: 'JOB_INVALID', details: { job: 'wrong', ...details } })
    expect(error.details.reason).toMatch(/\w/)
    expect(error.fix).toMatch(/\w/)
  })

  test.each(['', 'a b', 'orders.v2', 'a/b', 'ü'])('a job named %j', (name) => {
    expect(errorOf(() => defineJob(name, (job) => job.from(flights).to(lines)))).toMatchObject({
      code: 'JOB_INVALID',
      details: { job: name },
    })
  })

  test('no function at all', () => {
    expect(errorOf(() => defineJob('wrong', undefined as never))).toMatchObject({ code: 'JOB_INVALID' })
  })

  test('a stream that is used after the job was built', () => {
    let leaked: { to(topic: unknown): void } | undefined
    defineJob('leaky', (job) => {
      const stream = job.from(flights)
      stream.to(lines)
      leaked = stream as never
    })
    expect(errorOf(() => leaked!.to(lines))).toMatchObject({ code: 'JOB_INVALID', details: { reason: 'the job is complete already' } })
  })
})

/** The builder as JavaScript sees it. */
interface Untyped {
  // biome-ignore lint/suspicious/noExplicitAny: what is wrong here is refused by the compiler elsewhere (types.test.ts)
  from(...parameters: unknown[]): any
  // biome-ignore lint/suspicious/noExplicitAny: as above
  table(...parameters: unknown[]): any
}
const keyed = (job: Untyped) => job.from(flights).keyBy('by-origin', (flight: Flight) => flight.origin)
const notRetractable = reduce({ init: () => 0, add: (most: number, flight: Flight) => Math.max(most, flight.delay), merge: Math.max })

function errorOf(run: () => unknown): StreamError {
  try {
    run()
  } catch (error) {
    return error as StreamError
  }
  throw new Error('nothing was thrown')
}
