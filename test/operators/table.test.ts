import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { TableOperator, type TablePlan, type TableRow } from '../../operators/table.ts'
import { runsOf } from '../support/lane.ts'
import { OperatorRun, runSlices } from '../support/operator-run.ts'
import { Random } from '../support/random.ts'
import { interleave, type LogRecord, randomPartitions } from '../support/window-run.ts'

const numRuns = process.env.REPRISE_FULL === '1' ? 5000 : Number(process.env.REPRISE_RUNS ?? runsOf(80))
const byTime: TablePlan = { order: 'time', deletedForMs: 16 }
const byOffset: TablePlan = { order: 'offset', deletedForMs: 16 }
const open = (plan: TablePlan) => new OperatorRun((context) => new TableOperator(plan, context), 't')
const rowsOf = (run: OperatorRun) => {
  const rows = run.stores.store<TableRow>('t').group('')
  return new Map((rows?.keys() ?? []).map((key) => [key, rows!.get(key)!.value]))
}
const deleted = (id: number) => id % 3 === 0

describe('a table of a stream', () => {
  test.each([false, true])('has in the end the latest value of each key, whatever came first (crashes: %s)', (crashes) => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
        const random = new Random(seed)
        const partitions = randomPartitions(random)
        const run = open(byTime)
        const values = new Map<string, unknown>()
        const { operator } = run
        const process = operator.process.bind(operator)
        operator.process = (value, input) => process(deleted((value as LogRecord).id) ? null : (value as LogRecord).id, input)
        runSlices(run, partitions, interleave(partitions, random), { crash: () => crashes && restartAs(run) })
        const all = partitions.flatMap(({ records }, partition) => records.map((record, offset) => ({ ...record, partition, offset })))
        const expected = new Map<unknown, unknown>()
        for (const { key, id } of all.sort((a, b) => a.time - b.time || a.partition - b.partition || a.offset - b.offset))
          expected.set(key, deleted(id) ? null : id)
        for (const { key, value } of run.passed) values.set(`${typeof key}${key}`, value)
        for (const [key, value] of expected) {
          // A key that was never there is never said to be gone.
          expect(values.get(`${typeof key}${key}`) ?? null).toBe(value)
          expect(rowsOf(run).get(key as string) ?? null).toBe(value)
        }
        // Marks of deleted rows don't stay for ever.
        expect([...rowsOf(run).values()]).not.toContain(null)
        expect(run.stores.names()).not.toContain('t.deleted')
      }),
      { numRuns },
    )
  })

  test('emits what becomes the latest, and null for a row that goes', () => {
    const run = open(byTime)
    run.record('b', { eventTime: 20 })
    run.record('a', { eventTime: 10 })
    run.record(null, { eventTime: 15 })
    run.record(null, { eventTime: 30 })
    run.record(null, { eventTime: 40 })
    run.record('c', { eventTime: 35 })
    run.record('d', { eventTime: 40, offset: 1 })
    expect(run.passed.map(({ value, eventTime }) => [value, eventTime])).toEqual([
      ['b', 20],
      [null, 30],
      ['d', 40],
    ])
  })

  test('keeps a deleted row from coming back for as long as it was told', () => {
    const run = open(byTime)
    run.record(null, { eventTime: 100 })
    run.moveTo(116)
    run.record('older', { eventTime: 99 })
    expect(run.emitted).toEqual([])
    run.moveTo(117)
    run.record('older', { eventTime: 99 })
    expect(run.emitted).toEqual(['older'])
  })

  test('orders results of one time, which have no place in the log, by content', () => {
    for (const order of [
      ['a', 'b'],
      ['b', 'a'],
    ]) {
      const run = open(byTime)
      for (const value of order) run.record(value, { eventTime: 9, offset: -1, rank: 0 })
      expect(rowsOf(run)).toEqual(new Map([['k', 'b']]))
    }
  })

  test('takes the last of several values of one source record', () => {
    const run = open(byTime)
    run.record('b', { eventTime: 9, offset: 4 })
    run.record('a', { eventTime: 9, offset: 4 })
    expect(rowsOf(run)).toEqual(new Map([['k', 'a']]))
  })
})

describe('a row that is taken back', () => {
  test('is replaced by the next value of its time, whatever record caused that', () => {
    const run = open(byTime)
    run.record('old', { eventTime: 9, offset: 5 })
    run.record('old', { eventTime: 9, offset: 3, retract: true })
    run.record('new', { eventTime: 9, offset: 3 })
    expect(run.emitted).toEqual(['old', 'new'])
    run.moveTo(10)
    expect(rowsOf(run)).toEqual(new Map([['k', 'new']]))
  })

  test.each<[string, (run: OperatorRun) => void]>([
    ['behind another row', (run) => run.record('other', { key: 'l', eventTime: 9, offset: 3, retract: true })],
    ['in the next slice', (run) => void run.moveTo(10)],
    [
      'after a restart',
      (run) => {
        run.moveTo(10)
        run.restart()
      },
    ],
  ])('is replaced also %s', (_, between) => {
    const run = open(byTime)
    run.record('old', { eventTime: 9, partition: 1, offset: 5 })
    run.record('old', { eventTime: 9, partition: 0, offset: 3, retract: true })
    between(run)
    run.record('new', { eventTime: 9, partition: 0, offset: 3 })
    expect(run.emitted).toEqual(['old', null, 'new'])
    expect(rowsOf(run)).toEqual(new Map([['k', 'new']]))
  })

  test.each<[string, (run: OperatorRun) => void]>([
    ['at the end of the slice', (run) => void run.moveTo(10)],
    [
      'at the end of the slice, after a restart',
      (run) => {
        run.restart()
        run.moveTo(10)
      },
    ],
    ['when another record comes', (run) => run.record('other', { key: 'l', eventTime: 11, stamp: 3 })],
    ['when another row is taken back', (run) => run.record('other', { key: 'l', eventTime: 11, retract: true })],
  ])('and not replaced is deleted %s', (_, next) => {
    const run = open(byTime)
    run.record('old', { eventTime: 9 })
    run.record('old', { eventTime: 9, stamp: 4, retract: true })
    next(run)
    expect(run.passed[1]).toMatchObject({ value: null, key: 'k', eventTime: 9, stamp: 4, retract: false })
    expect(rowsOf(run).get('k')).toBe(null)
    expect(run.passed[2]?.value).toBe(run.moment.key === 'l' && !run.moment.retract ? 'other' : undefined)
  })

  test('is no matter when another one is held', () => {
    const run = open(byTime)
    run.record('newer', { eventTime: 20 })
    run.record('old', { eventTime: 9, retract: true })
    run.record('older', { eventTime: 8 })
    run.moveTo(30)
    expect(run.emitted).toEqual(['newer'])
  })
})

test('a value that no checkpoint could hold is bad when it comes, also if it is not the latest', () => {
  const run = open(byTime)
  run.record({ x: 1 }, { eventTime: 20 })
  run.record({ x: () => 1 }, { eventTime: 30 })
  run.record({ x: () => 1 }, { eventTime: 10 })
  expect(run.bad.map(({ error }) => (error as { code: string }).code)).toEqual(['STATE_VALUE_UNSUPPORTED', 'STATE_VALUE_UNSUPPORTED'])
  run.restart()
  expect(rowsOf(run)).toEqual(new Map([['k', { x: 1 }]]))
})

describe('a table of a topic', () => {
  test('keeps the highest offset of each key, whatever its event time, as compaction does', () => {
    const run = open(byOffset)
    run.record('a', { offset: 4, eventTime: 100 })
    run.record('b', { offset: 7, eventTime: 50 })
    // A retried record comes after later ones.
    run.record('c', { offset: 5, eventTime: 200 })
    run.record('d', { key: 'l', offset: 6, eventTime: 1 })
    expect(rowsOf(run)).toEqual(
      new Map([
        ['k', 'b'],
        ['l', 'd'],
      ]),
    )
    run.record(null, { offset: 8, eventTime: 60 })
    run.record('e', { offset: 6, eventTime: 300 })
    expect(rowsOf(run).get('k')).toBe(null)
    expect(run.emitted).toEqual(['a', 'b', 'd', null])
  })

  test('reports a record without a key as bad', () => {
    const run = open(byOffset)
    run.record('a', { key: undefined as never })
    expect(run.bad).toMatchObject([{ value: 'a', error: { code: 'KEY_INVALID' } }])
  })
})

/** Starts over and keeps translating values: the test gives records, the table holds ids. */
function restartAs(run: OperatorRun): false {
  run.restart()
  const { operator } = run
  const process = operator.process.bind(operator)
  operator.process = (value, input) => process(deleted((value as LogRecord).id) ? null : (value as LogRecord).id, input)
  return false
}
