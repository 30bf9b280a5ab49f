import { expect, test } from 'vitest'
import { aggregator } from '../../../operators/aggregates/aggregator.ts'
import { count } from '../../../operators/aggregates/count.ts'
import { max } from '../../../operators/aggregates/extremes.ts'
import { sum } from '../../../operators/aggregates/sum.ts'
import { session, sliding, tumbling, type WindowSpec } from '../../../operators/windows/spec.ts'
import { windowOperator, windowStores } from '../../../operators/windows/window-operator.ts'
import { OperatorRun } from '../../support/operator-run.ts'
import { type Emitted, type LogRecord, type RunOptions, runWindows, type Slice } from '../../support/window-run.ts'

/** One partition's slices: times of records of key `a`; `idle` ends a slice in which the partition is idle. */
function run(
  spec: WindowSpec,
  slices: readonly (readonly number[])[],
  { outOfOrderness = 0, ...options }: RunOptions & { outOfOrderness?: number } = {},
) {
  let id = 0
  const records: LogRecord[] = []
  const cut: Slice[] = slices.map((times) => ({
    steps: times.map((time) => {
      const record = { id: id++, key: 'a', time, value: 1 }
      records.push(record)
      return { partition: 0, record }
    }),
    idle: new Set(),
  }))
  const make = windowOperator<LogRecord, { n: number }>(spec, { n: count() })
  return runWindows(make, [{ records, outOfOrderness }], cut, options)
}

const told = (emitted: readonly Emitted[]) =>
  emitted.map(({ start, end, row, retract, early }) => `${retract ? 'not ' : ''}${early ? 'early ' : ''}[${start},${end}) ${row.n}`)

test('a tumbling window fires once the watermark reaches its end, with the records of [start, end)', () => {
  const { emitted, late } = run(tumbling(10), [[0, 9], [10], [19.5], [20]])
  expect(told(emitted)).toEqual(['[0,10) 2', '[10,20) 2', '[20,30) 1'])
  expect(late).toEqual([])
})

test('a window that ends exactly at the watermark has fired', () => {
  const { emitted } = run(tumbling(10), [[5], [10]])
  expect(told(emitted.slice(0, 1))).toEqual(['[0,10) 1'])
})

test('windows are aligned to 1970 UTC, also before it', () => {
  expect(told(run(tumbling(10), [[-11, -10, -1]]).emitted)).toEqual(['[-20,-10) 1', '[-10,0) 2'])
  expect(told(run(sliding(10, 4), [[-1]]).emitted)).toEqual(['[-8,2) 1', '[-4,6) 1'])
})

test('a record counts while its stamp is below the end, however far the task itself has come', () => {
  const { emitted, late } = run(tumbling(10), [[8, 3, 9, 10, 4]], { outOfOrderness: 0 })
  expect(told(emitted)).toEqual(['[0,10) 3', '[10,20) 1'])
  expect(late).toEqual([{ id: 4, reason: 'late' }])
})

test('in a sliding window a record that is late for the first ends counts in the later ones', () => {
  const { emitted, late } = run(sliding(10, 5), [[1], [6], [2], [10], [3]])
  expect(told(emitted)).toEqual(['[-5,5) 1', '[0,10) 3', '[5,15) 2', '[10,20) 1'])
  expect(late).toEqual([{ id: 4, reason: 'late' }])
})

test('within the allowed lateness the old result is taken back and the new one given', () => {
  const { emitted, late } = run(tumbling(10, { allowedLateness: 5 }), [[1], [12], [2], [15], [3]])
  expect(told(emitted)).toEqual(['[0,10) 1', 'not [0,10) 1', '[0,10) 2', '[10,20) 2'])
  expect(late).toEqual([{ id: 4, reason: 'late' }])
})

test('a session ends at its last record and the gap; the next record begins another', () => {
  expect(told(run(session(5), [[1, 4, 8, 13]]).emitted)).toEqual(['[1,13) 3', '[13,18) 1'])
})

test('a late record that joins two fired sessions takes both back', () => {
  const { emitted } = run(session(5, { allowedLateness: 20 }), [[1, 9], [20], [5]])
  expect(told(emitted)).toEqual(['[1,6) 1', '[9,14) 1', 'not [1,6) 1', 'not [9,14) 1', '[1,14) 3', '[20,25) 1'])
})

test('a late record that makes a fired session end later takes it back until then', () => {
  const { emitted } = run(session(5, { allowedLateness: 20 }), [[1], [7], [4], [30]])
  expect(told(emitted)).toEqual(['[1,6) 1', 'not [1,6) 1', '[1,12) 3', '[30,35) 1'])
})

test('by processing time, windows go by append time; what comes below the clock is diverted', () => {
  const spec = tumbling(10, { time: 'processing' })
  const { emitted, late } = run(spec, [[1, 12], [11], [14, 2]])
  expect(told(emitted)).toEqual(['[0,10) 1', '[10,20) 2'])
  expect(late).toEqual([
    { id: 2, reason: 'clock' },
    { id: 4, reason: 'clock' },
  ])
  expect(told(run(sliding(10, 5, { time: 'processing' }), [[1, 12], [11]]).emitted)).toEqual([
    '[-5,5) 1',
    '[0,10) 1',
    '[5,15) 1',
    '[10,20) 1',
  ])
})

test('early results come when time has passed a multiple of the interval, and are taken back by the next', () => {
  const { emitted } = run(tumbling(20, { early: 5 }), [[1], [2, 4], [5], [6, 9], [9.5], [11], [16], [20]])
  expect(told(emitted).slice(0, 7)).toEqual([
    'early [0,20) 4',
    'not early [0,20) 4',
    'early [0,20) 8',
    'not early [0,20) 8',
    'early [0,20) 9',
    'not early [0,20) 9',
    '[0,20) 9',
  ])
  // Caused by 5, 10, 15 and the end; event time is always that of the window.
  expect(emitted.slice(0, 7).map(({ stamp }) => stamp)).toEqual([4, 9, 9, 14, 14, 19, 19])
  expect(emitted.slice(0, 7).every(({ eventTime }) => eventTime === 19)).toBe(true)
})

test('a window that has not changed gives nothing early, and its final result all the same', () => {
  const { emitted } = run(tumbling(20, { early: 5 }), [[1], [26], [32], [40]], { outOfOrderness: 20 })
  expect(told(emitted).slice(0, 7)).toEqual([
    'early [0,20) 1',
    'early [20,40) 1',
    'not early [20,40) 1',
    'early [20,40) 2',
    'not early [0,20) 1',
    '[0,20) 1',
    'early [40,60) 1',
  ])
})

test('every open sliding window gives what it has so far', () => {
  const { emitted } = run(sliding(10, 5, { early: 3 }), [[1], [3], [30]])
  expect(told(emitted).slice(0, 6)).toEqual([
    'early [-5,5) 2',
    'early [0,10) 2',
    'not early [-5,5) 2',
    '[-5,5) 2',
    'not early [0,10) 2',
    '[0,10) 2',
  ])
})

test('sessions that become one take back what each of them gave', () => {
  const { emitted } = run(session(10, { early: 5 }), [[1], [12], [8], [16], [90]], { outOfOrderness: 10 })
  expect(told(emitted).slice(0, 7)).toEqual([
    'early [1,11) 1',
    'early [12,22) 1',
    'not early [1,11) 1',
    'not early [12,22) 1',
    'early [1,26) 4',
    'not early [1,26) 4',
    '[1,26) 4',
  ])
})

test('a session that has grown beyond the end of its early result replaces it there: what follows may count that time as complete', () => {
  const { emitted } = run(session(6, { early: 10 }), [[8], [10, 11], [16], [18], [30]])
  expect(told(emitted).slice(0, 5)).toEqual(['early [8,17) 3', 'not early [8,17) 3', 'early [8,24) 5', 'not early [8,24) 5', '[8,24) 5'])
  expect(emitted.slice(0, 5).map(({ stamp }) => stamp)).toEqual([9, 16, 16, 23, 23])
})

test('what a session gave early is taken back in time for its own end, also when it ends later', () => {
  const { emitted } = run(session(6, { early: 10 }), [[8], [10, 11], [16, 18, 30]])
  expect(emitted.slice(1, 3)).toMatchObject([
    { retract: true, early: true, end: 17, stamp: 16 },
    { retract: false, end: 24, stamp: 23 },
  ])
})

test('by processing time, early results come by the clock', () => {
  const spec = tumbling(20, { time: 'processing', early: 5 })
  expect(told(run(spec, [[1], [6], [8], [11], [21]]).emitted).slice(0, 5)).toEqual([
    'early [0,20) 2',
    'not early [0,20) 2',
    'early [0,20) 4',
    'not early [0,20) 4',
    '[0,20) 4',
  ])
  const clock = new OperatorRun(windowOperator(spec, { n: count() }))
  const due: number[] = []
  const moveTo = (time: number) => {
    clock.moveTo(Number.NEGATIVE_INFINITY, time)
    due.push(clock.operator.nextProcessingDue!())
  }
  moveTo(3)
  clock.record({}, { appendTime: 4 })
  moveTo(4)
  moveTo(5)
  clock.record({}, { appendTime: 6 })
  moveTo(7)
  expect(due).toEqual([Number.POSITIVE_INFINITY, 5, 20, 10])
})

test('records that do not change the value give nothing early', () => {
  const op = new OperatorRun(windowOperator(tumbling(20, { early: 5 }), { highest: max(Number) }))
  op.moveTo(1)
  op.record(9, { eventTime: 2 })
  op.moveTo(5)
  op.record(8, { eventTime: 6 })
  op.moveTo(10)
  expect(op.passed).toHaveLength(1)
  op.record(10, { eventTime: 11 })
  op.moveTo(15)
  expect(op.passed.map(({ retract }) => retract)).toEqual([false, true, false])
})

test('a restart among early results goes on where they stopped', () => {
  const fragile = aggregator({ init: () => 0, add: (n: number) => n + 1, merge: (n: number, other: number) => n + other, result: odd })
  const op = new OperatorRun(windowOperator(tumbling(20, { early: 5 }), { n: fragile }))
  op.moveTo(1)
  for (const key of ['a', 'a', 'b', 'c']) op.record({}, { key, eventTime: 2 })
  op.budget.left = 1
  op.moveTo(
    6,
    6,
    () => 1,
    () => op.restart(),
  )
  expect(op.passed.map(({ key }) => key)).toEqual(['b', 'c'])
  expect(op.bad).toHaveLength(1)
})

function odd(n: number): number {
  if (n % 2 === 0) throw new Error('even')
  return n
}

test('a result that can not be made takes the early one before it back', () => {
  for (const spec of [tumbling(20, { early: 5 }), session(15, { early: 5 })]) {
    const fragile = aggregator({
      init: () => 0,
      add: (n: number) => n + 1,
      merge: (n: number, other: number) => n + other,
      result(n: number) {
        if (n === 3) throw new Error('three')
        return n
      },
    })
    const op = new OperatorRun(windowOperator(spec, { n: fragile }))
    op.moveTo(1)
    op.record({}, { eventTime: 2 })
    op.record({}, { eventTime: 3 })
    op.moveTo(5)
    op.record({}, { eventTime: 6 })
    op.moveTo(7)
    op.restart()
    op.moveTo(60)
    expect(op.passed.map(({ value, retract }) => [(value as { row: { n: number } }).row.n, retract])).toEqual([
      [2, false],
      [2, true],
    ])
    expect(op.bad).toHaveLength(1)
    expect(op.stores.names()).toEqual([])
  }
})

test('without budget nothing is emitted; what is due comes with the next one', () => {
  let budget = 0
  const { emitted } = run(sliding(10, 5), [[1], [6], [30]], { budget: () => budget++ % 2 })
  expect(told(emitted)).toEqual(['[-5,5) 1', '[0,10) 2', '[5,15) 1', '[25,35) 1', '[30,40) 1'])
})

test('a gap of years between two records costs no time', () => {
  const year = 365 * 86_400_000
  expect(told(run(sliding('1m', '1s'), [[0], [50 * year]]).emitted)).toHaveLength(120)
})

test('when a function of the job throws, the record counts in nothing', () => {
  for (const spec of [tumbling(10), sliding(10, 5), session(5)]) {
    const records = [1, Number.NaN, 2].map((value, id): LogRecord => ({ id, key: 'a', time: 1 + id, value }))
    const make = windowOperator<LogRecord, Record<string, unknown>>(spec, {
      n: count(),
      total: sum(({ value }) => {
        if (Number.isNaN(value)) throw new Error('no value')
        return value
      }),
      highest: max(({ value }) => value),
    })
    const run = (log: readonly LogRecord[]) => {
      const steps = log.map((record) => ({ partition: 0, record }))
      return runWindows(make, [{ records: log, outOfOrderness: 5 }], [{ steps, idle: new Set() }])
    }
    for (const order of [
      [0, 1, 2],
      [1, 0, 2],
    ]) {
      const { emitted, bad, stores } = run(order.map((i) => records[i]!))
      expect(bad).toEqual([records[1]])
      expect(emitted[0]!.row).toMatchObject({ n: 2, total: 3, highest: 2 })
      expect(stores.names()).toEqual([])
    }
  }
})

test('a value of the wrong type is a bad record that says what it was', () => {
  const make = windowOperator<LogRecord, Record<string, unknown>>(tumbling(10), { total: sum(() => 'x' as unknown as number) })
  const record = { id: 0, key: 'a', time: 1, value: 1 }
  const { bad, emitted } = runWindows(
    make,
    [{ records: [record], outOfOrderness: 0 }],
    [{ steps: [{ partition: 0, record }], idle: new Set() }],
  )
  expect({ bad, emitted }).toEqual({ bad: [record], emitted: [] })
})

test('every store a window uses is named', () => {
  for (const spec of [tumbling(10), sliding(10, 5), sliding(12, 1, { allowedLateness: 20 }), session(5), sliding(10, 5, { early: 2 })]) {
    const seen = new Set<string>()
    run(spec, [[1], [6], [2], [30]], { crash: () => true, onStores: (names) => names.forEach((name) => seen.add(name)) })
    expect(windowStores('w', spec)).toEqual(expect.arrayContaining([...seen]))
    expect(seen.size).toBeGreaterThan(0)
  }
})
