import { describe, expect, test } from 'vitest'
import type { Header } from '../../engine/model/record.ts'
import type { RecordInfo } from '../../engine/model/topology.ts'
import type { OperatorFactory } from '../../engine/task/operator.ts'
import { filterOperator } from '../../operators/filter.ts'
import { flatMapOperator } from '../../operators/flat-map.ts'
import { mapOperator } from '../../operators/map.ts'
import { mergeOperator } from '../../operators/merge.ts'
import { peekOperator } from '../../operators/peek.ts'
import { branchOperator, type Routed, splitOperator } from '../../operators/split.ts'
import { rowsOperator, windowFilterOperator, windowMapOperator } from '../../operators/window-rows.ts'
import { OperatorRun } from '../support/operator-run.ts'

const header = (name: string, text: string): Header => ({ name, value: Buffer.from(text) })
const boom = () => {
  throw new Error('boom')
}

describe('stateless operators', () => {
  test('map gives one value for each', () =>
    expect(
      run(
        mapOperator((value) => [value]),
        1,
        2,
      ),
    ).toEqual([[1], [2]]))
  test('filter keeps the values it is true for, and the values as they are', () =>
    expect(
      run(
        filterOperator((value) => (value as number) % 2 === 1),
        1,
        2,
        3,
      ),
    ).toEqual([1, 3]))
  test('flatMap gives all values of each, in order, also from generators', () => {
    const twice = function* (value: unknown) {
      yield value
      yield -(value as number)
    }
    expect(run(flatMapOperator(twice), 1, 2)).toEqual([1, -1, 2, -2])
    expect(
      run(
        flatMapOperator((value) => (value === 1 ? [] : [value, value])),
        1,
        2,
      ),
    ).toEqual([2, 2])
  })
  test('peek sees each value and passes it on, whatever its function gives', () => {
    const seen: unknown[] = []
    expect(
      run(
        peekOperator((value) => seen.push(value) > 1),
        1,
        2,
      ),
    ).toEqual([1, 2])
    expect(seen).toEqual([1, 2])
  })
  test('merge passes on what comes from every input', () => {
    const merge = new OperatorRun(mergeOperator)
    merge.record('a', {}, 0)
    merge.record('b', {}, 1)
    expect(merge.emitted).toEqual(['a', 'b'])
  })
  test('split asks the branches in their order and sends each value one way', () => {
    const asked: string[] = []
    const ask = (name: string, taken: (value: number) => boolean) => (value: unknown) => {
      asked.push(name)
      return taken(value as number)
    }
    const split = splitOperator({ big: ask('big', (n) => n > 10), even: ask('even', (n) => n % 2 === 0) })
    const routed = run(split, 12, 4, 5) as Routed[]
    expect(routed).toEqual([
      { branch: 'big', value: 12 },
      { branch: 'even', value: 4 },
      { branch: 'otherwise', value: 5 },
    ])
    expect(asked).toEqual(['big', 'big', 'even', 'big', 'even'])
    expect(run(branchOperator('even'), ...routed)).toEqual([4])
    expect(run(branchOperator('otherwise'), ...routed)).toEqual([5])
  })
  test('map and filter of windows get row and window; other readers the row', () => {
    const results = [
      { row: { n: 1 }, window: { key: 'a', start: 0, end: 10 } },
      { row: { n: 5 }, window: { key: 'b', start: 10, end: 20 } },
    ]
    const mapped = windowMapOperator((row, window, record) => ({ ...(row as object), end: window.end, key: record.key }))
    expect(run(mapped, ...results)).toEqual([
      { n: 1, end: 10, key: 'k' },
      { n: 5, end: 20, key: 'k' },
    ])
    expect(
      run(
        windowFilterOperator((row, window) => (row as { n: number }).n > 1 && window.start === 10),
        ...results,
      ),
    ).toEqual([results[1]])
    expect(run(rowsOperator, ...results)).toEqual([{ n: 1 }, { n: 5 }])
  })
})

describe('the record that functions get', () => {
  test('is what the log says of the record at hand', () => {
    const seen: unknown[] = []
    const look = (_: unknown, record: RecordInfo) => {
      const { key, eventTime, appendTime, topic, partition, offset, headers } = record
      seen.push({ key, eventTime, appendTime, topic, partition, offset, headers: { ...headers } })
    }
    const peek = new OperatorRun(peekOperator(look))
    peek.record('value', {
      key: 7,
      eventTime: 3,
      appendTime: 4,
      topic: 'orders',
      partition: 2,
      offset: 9,
      headers: [header('a', '1'), header('a', '2'), header('b', 'ü')],
    })
    peek.record('value', { key: 'x', eventTime: 5, topic: 'orders', offset: 10 })
    expect(seen).toEqual([
      { key: 7, eventTime: 3, appendTime: 4, topic: 'orders', partition: 2, offset: 9, headers: { a: '2', b: 'ü' } },
      { key: 'x', eventTime: 5, appendTime: 5, topic: 'orders', partition: 0, offset: 10, headers: {} },
    ])
  })

  test('does not read headers that nobody asks for', () => {
    const map = new OperatorRun(mapOperator((_, record) => record.offset))
    map.moment.headers = () => expect.unreachable()
    map.operator.process(1, 0)
    expect(map.emitted).toEqual([0])
  })
})

describe.each<[string, (fn: (value: unknown) => unknown) => OperatorFactory, unknown]>([
  ['map', mapOperator, 1],
  ['filter', filterOperator, 1],
  ['flatMap', (fn) => flatMapOperator(fn as (value: unknown) => Iterable<unknown>), 1],
  ['peek', peekOperator, 1],
  ['split', (fn) => splitOperator({ one: fn }), 1],
  ['map of a window', (fn) => windowMapOperator((row) => fn(row)), { row: 1, window: { key: 'k', start: 0, end: 1 } }],
  ['filter of a window', (fn) => windowFilterOperator((row) => fn(row)), { row: 1, window: { key: 'k', start: 0, end: 1 } }],
])('%s', (_, make, value) => {
  test('reports what its function throws, emits nothing for that value and goes on', () => {
    const operator = new OperatorRun(make(boom))
    operator.record(value)
    operator.record(value)
    expect(operator.passed).toEqual([])
    expect(operator.bad.map(({ value, error }) => [value, String(error)])).toEqual([
      [1, 'Error: boom'],
      [1, 'Error: boom'],
    ])
  })

  test('refuses a promise, and one that is only like a promise', () => {
    const operator = new OperatorRun(make(async () => true))
    expect(() => operator.record(value)).toThrow(
      expect.objectContaining({ code: 'API_NOT_ALLOWED', fix: expect.stringContaining('synchronous') }),
    )
    // biome-ignore lint/suspicious/noThenProperty: that is what is tested
    expect(() => new OperatorRun(make(() => ({ then: () => {} }))).record(value)).toThrow(
      expect.objectContaining({ code: 'API_NOT_ALLOWED' }),
    )
    expect(operator.passed).toEqual([])
  })

  test('does not take what a reader throws for its own', () => {
    const given: Record<string, unknown> = { flatMap: [1] }
    const operator = new OperatorRun(make(() => given[_] ?? true))
    Object.defineProperty(operator.budget, 'left', {
      get() {
        throw new Error('reader')
      },
    })
    expect(() => operator.record(value)).toThrow('reader')
    expect(operator.bad).toEqual([])
  })
})

describe('a value that is taken back', () => {
  test.each<[string, OperatorFactory, number]>([
    ['map', mapOperator((value) => value), 1],
    ['filter', filterOperator(() => true), 1],
    ['flatMap', flatMapOperator((value) => [value, value]), 2],
    ['peek', peekOperator(() => {}), 1],
    ['merge', mergeOperator, 1],
    ['split', splitOperator({}), 1],
  ])('passes %s as such', (_, make, count) => {
    const operator = new OperatorRun(make)
    operator.record('old', { retract: true })
    expect(operator.passed.map(({ retract }) => retract)).toEqual(Array(count).fill(true))
  })

  test('is not shown to peek', () => {
    const seen: unknown[] = []
    const peek = new OperatorRun(peekOperator((value) => seen.push(value)))
    peek.record('old', { retract: true })
    peek.record('new')
    expect(seen).toEqual(['new'])
  })
})

test('flatMap emits nothing of a value for which it throws half way, or that holds a promise', () => {
  const half = new OperatorRun(
    flatMapOperator(function* () {
      yield 1
      boom()
    }),
  )
  half.record('value')
  expect(half.passed).toEqual([])
  expect(half.bad).toHaveLength(1)
  const mixed = new OperatorRun(flatMapOperator(() => [1, Promise.resolve(2)]))
  expect(() => mixed.record('value')).toThrow(expect.objectContaining({ code: 'API_NOT_ALLOWED' }))
  expect(mixed.passed).toEqual([])
})

function run(make: OperatorFactory, ...values: readonly unknown[]): unknown[] {
  const operator = new OperatorRun(make)
  for (const value of values) operator.record(value)
  return operator.emitted
}
