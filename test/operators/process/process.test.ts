import { describe, expect, test } from 'vitest'
import type { Key } from '../../../engine/model/record.ts'
import { defineJob, type MapState, map, output, type ProcessDefinition, string, topic, type ValueState, value } from '../../../index.ts'
import { OperatorRun } from '../../support/operator-run.ts'

type Definition = ProcessDefinition<Key, unknown, { last: typeof last; seen: typeof seen; short: typeof short }, unknown, typeof sides>
const last = value<unknown>()
const seen = map<Key, unknown>()
const short = value<unknown>({ ttl: 10 })
const records = topic('records', { codec: 'json', key: () => 'k' })
const results = topic('results', { codec: 'json' })
const audit = topic('audit', { codec: string() })
const sides = { loud: output<string>(), audit }

/** Two calls where one expression is wanted. */
const both = (..._done: readonly unknown[]): void => {}

/** A process with some state and outputs, and the values of its streams. */
function open(definition: Partial<Definition>): OperatorRun {
  const job = defineJob('job', (job) => {
    const processed = job
      .from(records)
      .keyBy('by-key', () => 'k' as Key)
      .process('p', { state: { last, seen, short }, output: output<unknown>(), onRecord() {}, ...definition } as Definition)
    processed.to(results)
  })
  const node = job.nodes.find(({ name }) => name === 'p')
  if (node?.kind !== 'operator') throw new Error('no process')
  return new OperatorRun(node.make, 'p')
}

describe('what a record sees', () => {
  test('is itself, at its time, as it came', () => {
    const seenRecords: unknown[] = []
    const run = open({
      onRecord({ key, time, watermark, record }, value) {
        const { eventTime, appendTime, topic, partition, offset, headers } = record
        seenRecords.push([value, key, time, watermark, { eventTime, appendTime, topic, partition, offset, headers: { ...headers } }])
      },
    })
    run.record('a', {
      key: 7,
      eventTime: 5,
      appendTime: 9,
      topic: 'x',
      partition: 2,
      offset: 3,
      headers: [{ name: 'h', value: Buffer.from('1') }],
    })
    run.record('b', { key: 7, eventTime: 4, appendTime: 10, topic: 'x', partition: 1, offset: 0 })
    expect(seenRecords).toEqual([])
    run.restart()
    run.moveTo(6)
    expect(seenRecords).toEqual([
      ['b', 7, 4, 4, { eventTime: 4, appendTime: 10, topic: 'x', partition: 1, offset: 0, headers: {} }],
      ['a', 7, 5, 5, { eventTime: 5, appendTime: 9, topic: 'x', partition: 2, offset: 3, headers: { h: '1' } }],
    ])
    expect(run.presents).toEqual([10, 9])
  })

  test('comes when time has passed it, not when time has reached it', () => {
    const run = open({ onRecord: (context, value) => context.emit(value) })
    run.record('a', { eventTime: 5 })
    run.moveTo(5)
    expect(run.emitted).toEqual([])
    run.moveTo(6)
    expect(run.emitted).toEqual(['a'])
  })

  test('leaves nothing at hand for what comes after it', () => {
    const run = open({ onRecord() {} })
    run.record('a', { eventTime: 5, offset: 9, headers: [{ name: 'h', value: Buffer.from('1') }] })
    run.moveTo(6)
    expect(run.moment).toMatchObject({ key: undefined, topic: '', partition: 0, offset: -1, rank: 0, retract: false })
    expect(run.moment.headers()).toEqual([])
  })

  test('results of one time come by content where the log has no order for them', () => {
    for (const order of [
      ['b', 'a', 'c'],
      ['c', 'b', 'a'],
    ]) {
      const run = open({ onRecord: (context, value) => context.emit(value) })
      for (const value of order) run.record(value, { eventTime: 5, offset: -1, rank: 0 })
      run.moveTo(6)
      expect(run.emitted).toEqual(['a', 'b', 'c'])
    }
  })

  test('values of one source record keep their order', () => {
    const run = open({ onRecord: (context, value) => context.emit(value) })
    for (const value of ['b', 'a', 'c']) run.record(value, { eventTime: 5, offset: 3 })
    run.moveTo(6)
    expect(run.emitted).toEqual(['b', 'a', 'c'])
  })
})

describe('late records', () => {
  test('are judged by event time and stamp, before they wait', () => {
    const run = open({ allowedLateness: 10 })
    run.record('on the edge', { eventTime: 90, stamp: 100 })
    run.record('late', { eventTime: 89, stamp: 100 })
    expect(run.late).toEqual([{ value: 'late', reason: 'late' }])
  })
  test('that their stamp allows but that time has passed are idle', () => {
    const run = open({ allowedLateness: 10 })
    run.moveTo(100)
    run.record('on the edge', { eventTime: 90, stamp: 0 })
    run.record('idle', { eventTime: 89, stamp: 0 })
    expect(run.late).toEqual([{ value: 'idle', reason: 'idle' }])
  })
})

describe('values that are taken back', () => {
  test('are removed while they wait, and only they', () => {
    const run = open({ allowedLateness: 10, onRecord: (context, value) => context.emit(value) })
    run.record({ n: 1 }, { eventTime: 5 })
    run.record({ n: 2 }, { eventTime: 5, key: 'other' })
    run.record({ n: 1 }, { eventTime: 5, retract: true })
    run.record({ n: 3 }, { eventTime: 5 })
    run.record({ n: 4 }, { eventTime: 6, retract: true })
    run.moveTo(100)
    expect(run.emitted).toEqual([{ n: 3 }, { n: 2 }])
  })
  test('are not delivered after they were, in either order', () => {
    for (const order of ['event-time', 'arrival'] as const) {
      const run = open({ order, onRecord: (context, value) => context.emit(value) })
      run.record('old', { eventTime: 5 })
      run.moveTo(6)
      run.record('old', { eventTime: 5, retract: true })
      run.record('new', { eventTime: 7 })
      run.moveTo(10)
      expect(run.emitted).toEqual(['old', 'new'])
    }
  })
})

describe('timers', () => {
  test('fire with key, name, payload and time; what they emit is of their time', () => {
    const run = open({
      onRecord(context) {
        context.setTimer(20, { name: 'b', payload: { x: 1 } })
        context.setTimer(20, { name: 'a' })
        context.setTimer(20, { name: 'a', payload: 2 })
      },
      onTimer: (context, timer) => context.emit([context.key, context.time, context.watermark, { ...timer }, context.record.offset]),
    })
    run.record('x', { eventTime: 5, key: 'k1', offset: 8 })
    run.record('x', { eventTime: 6, key: 'k0', offset: 9 })
    run.moveTo(19, 40)
    run.moveTo(20, 50)
    expect(run.emitted).toEqual([
      ['k0', 20, 20, { at: 20, name: 'a', payload: 2 }, -1],
      ['k0', 20, 20, { at: 20, name: 'b', payload: { x: 1 } }, -1],
      ['k1', 20, 20, { at: 20, name: 'a', payload: 2 }, -1],
      ['k1', 20, 20, { at: 20, name: 'b', payload: { x: 1 } }, -1],
    ])
    expect(run.passed.map(({ eventTime, stamp, topic }) => [eventTime, stamp, topic])).toEqual(Array(4).fill([20, 20, '']))
    expect(run.moment.appendTime).toBe(50)
    expect(run.presents.slice(2)).toEqual([20, 20, 20, 20])
  })

  test('of a time fire before the records of that time', () => {
    const run = open({
      onRecord(context, value) {
        context.emit(value)
        if (value === 'first') context.setTimer(9)
      },
      onTimer: (context) => context.emit('timer'),
    })
    run.record('second', { eventTime: 9 })
    run.record('first', { eventTime: 5 })
    run.moveTo(100)
    expect(run.emitted).toEqual(['first', 'timer', 'second'])
  })

  test('set for the past fire at once, at the present', () => {
    const run = open({
      onRecord(context, value) {
        context.emit(value)
        if (value === 'first') context.setTimer(-100)
      },
      onTimer: (context, { at }) => context.emit(at),
    })
    run.record('second', { eventTime: 9, offset: 1 })
    run.record('first', { eventTime: 9, offset: 0 })
    run.moveTo(100)
    expect(run.emitted).toEqual(['first', 9, 'second'])
  })

  test('that were deleted do not fire, and only those of that key, time and name', () => {
    const run = open({
      onRecord(context, value) {
        if (value === 'set') for (const name of ['', 'a']) for (const at of [20, 30]) context.setTimer(at, { name })
        else both(context.deleteTimer(20), context.deleteTimer(30, 'a'))
      },
      onTimer: (context, { at, name }) => context.emit([context.key, at, name]),
    })
    run.record('set', { eventTime: 5 })
    run.record('set', { eventTime: 5, key: 'other' })
    run.record('delete', { eventTime: 6 })
    run.moveTo(50)
    const others = (at: number) => ['', 'a'].map((name) => ['other', at, name])
    expect(run.emitted).toEqual([['k', 20, 'a'], ...others(20), ['k', 30, ''], ...others(30)])
  })

  test('may delete one of their own time that comes after them', () => {
    const run = open({
      onRecord: (context) => ['a', 'b', 'c'].forEach((name) => void context.setTimer(20, { name })),
      onTimer(context, { at, name }) {
        context.emit(name)
        context.deleteTimer(at, 'b')
      },
    })
    run.record('x', { eventTime: 5 })
    run.moveTo(50)
    expect(run.emitted).toEqual(['a', 'c'])
  })

  test('set by a timer must be later', () => {
    const run = open({
      onRecord: (context) => context.setTimer(20),
      onTimer: (context, { at }) => context.setTimer(at),
      onProcessingTimer() {},
    })
    run.record('x', { eventTime: 5 })
    run.moveTo(50)
    expect(run.bad.map(({ error }) => String(error))).toEqual([
      'RangeError: a timer that is set by a timer must be later than it: 20 is not after 20',
    ])
  })

  test('that set themselves again end with the input: those of records fire, chains go up to the last watermark', () => {
    const run = open({
      onRecord: (context) => context.setTimer(20),
      onTimer: (context, { at }) => both(context.emit(at), context.setTimer(at + 10)),
    })
    run.record('x', { eventTime: 5 })
    run.moveTo(45)
    run.restart()
    run.record('y', { eventTime: 45 })
    run.moveTo(Number.POSITIVE_INFINITY)
    expect(run.emitted).toEqual([20, 30, 40, 45])
  })

  test('of a chain are not lost when a restart comes between the last watermark and the end of input', () => {
    const run = open({
      onRecord: (context) => context.setTimer(20),
      onTimer: (context, { at }) => both(context.emit(at), context.setTimer(at + 10)),
    })
    run.record('x', { eventTime: 5 })
    run.budget.left = 1
    expect(run.operator.advance!({ watermark: 45, processing: 45 })).toBe(false)
    run.restart()
    run.budget.left = Number.POSITIVE_INFINITY
    run.moveTo(Number.POSITIVE_INFINITY)
    expect(run.emitted).toEqual([20, 30, 40])
  })

  test('without a function, or without a time, are refused', () => {
    const run = open({
      onRecord(context, value) {
        if (value === 1) context.setTimer(5)
        else context.setProcessingTimer(5)
      },
    })
    run.record(1)
    run.record(2)
    run.moveTo(1)
    const odd = open({ onRecord: (context, value) => context.setTimer(value as number), onTimer() {} })
    for (const at of [Number.NaN, Number.POSITIVE_INFINITY, '5', new Date(5), undefined]) odd.record(at)
    odd.moveTo(1)
    expect(run.bad.map(({ error }) => String(error))).toEqual([
      'TypeError: there is no onTimer to call',
      'TypeError: there is no onProcessingTimer to call',
    ])
    expect(odd.bad).toHaveLength(5)
  })
})

describe('timers by the clock', () => {
  const clocked = (definition: Partial<Definition> = {}) =>
    open({
      onRecord: (context, value) => (value as number[]).forEach((at) => void context.setProcessingTimer(at, { name: 'a' })),
      onProcessingTimer: (context, { at, name }) => context.emit([at, context.key, name]),
      ...definition,
    })

  test('fire by processing time, in the order of time and key, and say when they are due', () => {
    const run = clocked()
    expect(run.operator.nextProcessingDue!()).toBe(Number.POSITIVE_INFINITY)
    run.record([300, 100], { eventTime: 1, key: 'b' })
    run.record([100, 200], { eventTime: 2, key: 'a' })
    run.moveTo(3, 50)
    expect(run.operator.nextProcessingDue!()).toBe(100)
    run.restart()
    expect(run.operator.nextProcessingDue!()).toBe(100)
    run.moveTo(3, 99)
    expect(run.emitted).toEqual([])
    run.moveTo(3, 200)
    expect(run.emitted).toEqual([
      [100, 'a', 'a'],
      [100, 'b', 'a'],
      [200, 'a', 'a'],
    ])
    expect(run.passed[2]).toMatchObject({ eventTime: 200, stamp: 200 })
    expect(run.operator.nextProcessingDue!()).toBe(300)
  })

  test('fire in small portions, too, and start over between them', () => {
    const run = clocked()
    run.record([100, 101, 102, 103], { eventTime: 1 })
    run.moveTo(3, 3)
    run.budget.left = 0
    expect(
      run.moveTo(
        3,
        200,
        () => 1,
        () => run.restart(),
      ),
    ).toBe(5)
    expect(run.emitted).toEqual([100, 101, 102, 103].map((at) => [at, 'k', 'a']))
  })

  test('can be deleted', () => {
    const run = clocked({
      onRecord(context, value) {
        if (value === 'set') for (const at of [100, 200]) context.setProcessingTimer(at)
        else context.deleteProcessingTimer(100)
      },
    })
    run.record('set', { eventTime: 1 })
    run.record('delete', { eventTime: 2 })
    run.moveTo(3, 300)
    expect(run.emitted).toEqual([[200, 'k', '']])
  })

  test('set a timer by event time that is due at once: it fires in the same slice, not before what time has passed', () => {
    const run = clocked({ onProcessingTimer: (context) => context.setTimer(1), onTimer: (context, { at }) => context.emit(at) })
    run.record([100], { eventTime: 1 })
    run.moveTo(50, 100)
    expect(run.emitted).toEqual([50])
  })

  test('that set themselves again end with the input', () => {
    const run = clocked({ onProcessingTimer: (context, { at }) => both(context.emit(at), context.setProcessingTimer(at + 10)) })
    run.record([100], { eventTime: 1 })
    run.moveTo(2, 115)
    run.moveTo(Number.POSITIVE_INFINITY)
    expect(run.emitted).toEqual([100, 110])
  })
})

describe('state', () => {
  /** What a function of the states gives at each of these times. */
  const at = (
    steps: Readonly<
      Record<number, (state: { last: ValueState<unknown>; seen: MapState<Key, unknown>; short: ValueState<unknown> }) => unknown>
    >,
  ) => {
    const run = open({ onRecord: ({ state, time, emit }) => emit(steps[time]!(state) ?? null) })
    for (const time of Object.keys(steps)) run.record(time, { eventTime: Number(time) })
    run.moveTo(1_000_000)
    expect(run.bad.map(({ error }) => String(error))).toEqual([])
    return run.emitted
  }

  test('is what was put, by key', () => {
    const run = open({ onRecord: ({ state, emit }, value) => both(emit(state.last.get() ?? null), state.last.put(value)) })
    run.record('a', { eventTime: 1, key: 1 })
    run.record('b', { eventTime: 2, key: '1' })
    run.record('c', { eventTime: 3, key: 1 })
    run.moveTo(10)
    expect(run.emitted).toEqual([null, null, 'a'])
  })

  test('can be cleared, and asked for what is not there', () => {
    expect(
      at({
        1: ({ last }) => last.get(),
        2: ({ last }) => last.put(null),
        3: ({ last }) => [last.get()],
        4: ({ last }) => last.clear(),
        5: ({ last }) => last.get(),
      }),
    ).toEqual([null, null, [null], null, null])
  })

  test('by a second key comes back in canonical order', () => {
    expect(
      at({
        1: ({ seen }) => ['b', 10, 'a', 9, -0].forEach((key) => void seen.put(key, `v${key}`)),
        2: ({ seen }) => [seen.keys(), seen.entries().at(-1), seen.get(9), seen.has('b'), seen.has('c')],
        3: ({ seen }) => [seen.remove(9), seen.remove(9), seen.keys()],
        4: ({ seen }) => [seen.clear(), seen.keys()][1],
      }).slice(1),
    ).toEqual([[[0, 9, 10, 'a', 'b'], ['b', 'vb'], 'v9', true, false], [true, false, [0, 10, 'a', 'b']], []])
  })

  test('with a time to live is gone that long after it was put last', () => {
    expect(
      at({
        100: ({ short }) => short.put(1),
        109: ({ short }) => short.get(),
        110: ({ short }) => short.get(),
        200: ({ short }) => short.put(2),
        209: ({ short }) => short.put(3),
        218: ({ short }) => short.get(),
        219: ({ short }) => short.get(),
      }),
    ).toEqual([null, 1, null, null, null, 3, null])
  })

  test('does not take undefined, and no strange keys', () => {
    const run = open({ onRecord: ({ state }, value) => (value === 1 ? state.last.put(undefined) : state.seen.put(value as Key, 1)) })
    for (const value of [1, Number.NaN, {}, null]) run.record(value)
    run.moveTo(10)
    expect(run.bad.map(({ error }) => (error as { code: string }).code)).toEqual([
      'STATE_VALUE_UNSUPPORTED',
      'KEY_INVALID',
      'KEY_INVALID',
      'KEY_INVALID',
    ])
  })

  test.each<[string, (state: { last: ValueState<unknown>; seen: MapState<Key, unknown>; short: ValueState<unknown> }) => void]>([
    ['a value', ({ last }) => last.put({ f: () => 1 })],
    ['an entry', ({ seen }) => seen.put('k', { on: new (class Money {})() })],
    ['a value with a time to live', ({ short }) => short.put(Symbol('s'))],
  ])('is not given what no checkpoint could hold (%s)', (_, put) => {
    const run = open({ onRecord: ({ state }) => put(state) })
    run.record('a', { offset: 3 })
    run.moveTo(10)
    expect(run.bad).toMatchObject([{ value: 'a', error: { code: 'STATE_VALUE_UNSUPPORTED', details: { operator: 'p' } } }])
    expect(run.stores.names()).toEqual([])
  })

  test.each<[string, (value: { list: number[]; date: Date; map: Map<string, number> }) => void]>([
    ['array', ({ list }) => void list.push(1)],
    ['date', ({ date }) => void date.setTime(1)],
    ['map', ({ map }) => void map.set('a', 1)],
  ])('changed in place without put is found in tests (%s)', (_, change) => {
    const fresh = () => ({ list: [], date: new Date(0), map: new Map<string, number>() })
    const attempt = (onRecord: (state: { last: ValueState<unknown>; seen: MapState<Key, unknown> }, value: unknown) => void) => {
      const run = open({ onRecord: ({ state }, value) => onRecord(state, value) })
      run.record('put', { eventTime: 1 })
      run.record('change', { eventTime: 2 })
      return () => run.moveTo(10)
    }
    const changed = expect.objectContaining({ code: 'API_NOT_ALLOWED', details: expect.objectContaining({ operator: 'p' }) })
    const putThenChange = attempt(({ last }, value) => (value === 'put' ? last.put(fresh()) : change(last.get() as never)))
    expect(putThenChange).toThrow(changed)
    const mapChange = attempt(({ seen }, value) => (value === 'put' ? seen.put('x', fresh()) : change(seen.entries()[0]![1] as never)))
    expect(mapChange).toThrow(changed)
    const afterPut = attempt(({ last }) => {
      const own = fresh()
      last.put(own)
      change(own)
    })
    expect(afterPut).toThrow(changed)
    const putAgain = attempt(({ last }) => {
      const own = (last.get() ?? fresh()) as ReturnType<typeof fresh>
      change(own)
      last.put(own)
    })
    expect(putAgain).not.toThrow()
  })
})

describe('order by arrival', () => {
  test('delivers records as they come, with their own stamps, and timers as time passes them', () => {
    const run = open({
      order: 'arrival',
      onRecord(context, value) {
        context.emit(value)
        context.setTimer(context.time + 5)
      },
      onTimer: (context, { at }) => context.emit(at),
    })
    run.record('b', { eventTime: 20, stamp: 3 })
    run.record('a', { eventTime: 10, stamp: 4 })
    run.moveTo(14)
    run.moveTo(15)
    expect(run.passed.map(({ value, eventTime, stamp }) => [value, eventTime, stamp])).toEqual([
      ['b', 20, 3],
      ['a', 10, 4],
      [15, 15, 15],
    ])
  })
  test('raises timers of the past to what time has passed', () => {
    const run = open({
      order: 'arrival',
      allowedLateness: 100,
      onRecord: (context) => context.setTimer(context.time),
      onTimer: (context, { at }) => context.emit(at),
    })
    run.moveTo(50)
    run.record('late but allowed', { eventTime: 10, stamp: 60 })
    run.moveTo(51)
    expect(run.emitted).toEqual([50])
  })
  test('diverts late records only', () => {
    const run = open({ order: 'arrival', onRecord: (context, value) => context.emit(value) })
    run.moveTo(50)
    run.record('late', { eventTime: 10, stamp: 11 })
    run.record('idle before', { eventTime: 10, stamp: 10 })
    expect(run.emitted).toEqual(['idle before'])
    expect(run.late).toEqual([{ value: 'late', reason: 'late' }])
  })
})

describe('outputs', () => {
  test('beside the main one go to their stream or topic', () => {
    const run = open({
      sideOutputs: sides,
      onRecord(context, value) {
        context.emit(value)
        context.emitTo('loud', `${value}!`)
        context.emitTo('audit', `saw ${value}`)
      },
    })
    run.record('a', { eventTime: 1 })
    run.moveTo(10)
    expect(run.passed.map(({ port, value }) => [port, value])).toEqual([
      ['', { branch: 'main', value: 'a' }],
      ['', { branch: 'loud', value: 'a!' }],
      ['audit', 'saw a'],
    ])
  })
  test('that nobody named are refused', () => {
    const run = open({ onRecord: (context) => context.emitTo('other' as never, 1 as never) })
    run.record('a', { eventTime: 1 })
    run.moveTo(10)
    expect(run.bad.map(({ error }) => String(error))).toEqual(['TypeError: there is no side output other: name it in sideOutputs'])
  })
})

describe('a function of a process', () => {
  test('that throws is reported with its record, and the next record is delivered', () => {
    const run = open({
      onRecord(context, value) {
        if (value === 'bad') throw new Error('boom')
        context.emit(value)
      },
    })
    run.record('bad', { eventTime: 1, offset: 5 })
    run.record('good', { eventTime: 2 })
    run.moveTo(10)
    expect(run.bad).toMatchObject([{ value: 'bad' }])
    expect(run.emitted).toEqual(['good'])
  })
  test('is not handed what could not wait for its time', () => {
    const run = open({ onRecord: (context, value) => context.emit(value) })
    run.record(() => 1, { eventTime: 1 })
    run.record('good', { eventTime: 2 })
    run.restart()
    run.moveTo(10)
    expect(run.bad).toMatchObject([{ error: { code: 'STATE_VALUE_UNSUPPORTED' } }])
    expect(run.emitted).toEqual(['good'])
  })
  test.each<[string, object]>([
    ['payload', { payload: { f: () => 1 } }],
    ['name', { name: Symbol('s') }],
  ])('that sets a timer no checkpoint could hold is reported with its record (%s)', (_, timer) => {
    const run = open({ onRecord: (context) => context.setTimer(100, timer), onTimer() {} })
    run.record('a', { eventTime: 1 })
    run.moveTo(10)
    expect(run.bad).toMatchObject([{ value: 'a' }])
    expect(run.stores.names()).toEqual([])
  })
  test('that gives a promise stops the job', () => {
    const run = open({ onRecord: (async () => {}) as never })
    run.record('a', { eventTime: 1 })
    expect(() => run.moveTo(10)).toThrow(expect.objectContaining({ code: 'API_NOT_ALLOWED' }))
  })
})

test('with nothing due, moving time asks nothing of the stores but their first groups', () => {
  const run = open({ onRecord() {}, onTimer() {} })
  run.record('a', { eventTime: 100 })
  const before = run.moveTo(50)
  expect(before).toBe(1)
  expect(run.passed).toEqual([])
})
