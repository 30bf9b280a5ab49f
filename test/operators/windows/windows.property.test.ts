import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Aggregators, aggregator } from '../../../operators/aggregates/aggregator.ts'
import { avg } from '../../../operators/aggregates/avg.ts'
import { count } from '../../../operators/aggregates/count.ts'
import { max, min } from '../../../operators/aggregates/extremes.ts'
import { sum } from '../../../operators/aggregates/sum.ts'
import { describeWindow, session, sliding, tumbling, type WindowSpec } from '../../../operators/windows/spec.ts'
import { windowOperator } from '../../../operators/windows/window-operator.ts'
import { windowRuns } from '../../support/lane.ts'
import { Random } from '../../support/random.ts'
import { type Expected, expectFixed, expectSessions, type JudgedRecord, wholeSum } from '../../support/window-oracle.ts'
import { finalRows, interleave, type LogRecord, type RunResult, randomPartitions, runWindows } from '../../support/window-run.ts'

const numRuns = windowRuns(20)

const invertible: Aggregators<LogRecord, Record<string, unknown>> = {
  records: count(),
  sum: sum((record: LogRecord) => record.value),
  mean: avg((record: LogRecord) => record.value),
}
const mergeable: Aggregators<LogRecord, Record<string, unknown>> = {
  records: count(),
  sum: sum((record: LogRecord) => record.value),
  lowest: min((record: LogRecord) => record.value),
  highest: max((record: LogRecord) => record.value),
  ids: aggregator({
    init: (): number[] => [],
    add: (ids: number[], record: LogRecord) => [...ids, record.id],
    merge: (ids: number[], others: number[]) => [...ids, ...others],
    result: (ids: number[]) => [...ids].sort((a, b) => a - b),
  }),
}

interface Kind {
  readonly name: string
  readonly spec: WindowSpec
  readonly expected: (records: readonly JudgedRecord[]) => Expected
}

function fixed(size: number, slide: number, lateness: number, early?: number): Kind {
  const options = { allowedLateness: lateness, ...(early === undefined ? {} : { early }) }
  const spec = size === slide ? tumbling(size, options) : sliding(size, slide, options)
  return { name: describeWindow(spec), spec, expected: (records) => expectFixed(records, { size, slide, lateness }) }
}

function sessions(gap: number, lateness: number, early?: number): Kind {
  const spec = session(gap, { allowedLateness: lateness, ...(early === undefined ? {} : { early }) })
  return { name: describeWindow(spec), spec, expected: (records) => expectSessions(records, { gap, lateness }) }
}

const kinds: readonly Kind[] = [
  fixed(10, 10, 0),
  fixed(10, 10, 7),
  fixed(10, 10, 0, 3),
  fixed(10, 10, 7, 4),
  fixed(10, 5, 0),
  fixed(10, 5, 8),
  fixed(10, 4, 0),
  fixed(10, 4, 6),
  fixed(10, 4, 0, 3),
  fixed(10, 4, 6, 1),
  fixed(9, 3, 0),
  fixed(12, 1, 0),
  fixed(12, 1, 5),
  fixed(12, 1, 0, 5),
  fixed(7, 6, 3),
  sessions(6, 0),
  sessions(6, 4),
  sessions(3, 9),
  sessions(6, 0, 4),
  sessions(6, 4, 1),
  sessions(3, 9, 7),
]

for (const kind of kinds) {
  for (const [which, aggregators] of [
    ['count, sum, avg', invertible],
    ['min, max, own', mergeable],
  ] as const) {
    const make = windowOperator(kind.spec, aggregators)
    const seeds = (check: (seed: number) => void) => fc.assert(fc.property(fc.integer({ min: 0, max: 2 ** 31 }), check), { numRuns })

    test(`${kind.name}; ${which}: final rows and late records are what the records alone say`, () => {
      seeds((seed) => {
        const random = new Random(seed)
        const partitions = randomPartitions(random, { from: random.chance(0.3) ? -40 : 0 })
        checkAgainst(kind, runWindows(make, partitions, interleave(partitions, random)))
      })
    })

    test(`${kind.name}; ${which}: neither budgets nor restarts change anything that is emitted`, () => {
      seeds((seed) => {
        const random = new Random(seed)
        const partitions = randomPartitions(random)
        const slices = interleave(partitions, random, 0.15)
        const plain = runWindows(make, partitions, slices)
        const hindered = runWindows(make, partitions, slices, { budget: () => random.int(4), crash: () => random.chance(0.5) })
        expect(hindered.emitted).toEqual(plain.emitted)
        expect(hindered.late).toEqual(plain.late)
        expect(hindered.stores.names()).toEqual([])
      })
    })

    test(`${kind.name}; ${which}: with idle partitions, what closed too early is diverted and all else counts`, () => {
      seeds((seed) => {
        const random = new Random(seed)
        const partitions = randomPartitions(random, { step: 14 })
        checkAgainst(kind, runWindows(make, partitions, interleave(partitions, random, 0.4), { budget: () => 1 + random.int(5) }))
      })
    })

    test(`${kind.name}; ${which}: all interleavings of a log give the same final rows`, () => {
      seeds((seed) => {
        const random = new Random(seed)
        const partitions = randomPartitions(random)
        const results = Array.from({ length: 4 }, () => {
          const run = runWindows(make, partitions, interleave(partitions, random))
          return {
            rows: [...finalRows(run.emitted)].map(([name, { row }]) => [name, row]).sort(),
            late: run.late.map(({ id }) => id).sort(),
          }
        })
        for (const result of results) expect(result).toEqual(results[0])
      })
    })
  }
}

function checkAgainst(kind: Kind, run: RunResult): void {
  const expected = kind.expected(run.judged)
  const rows = finalRows(run.emitted)
  const records = new Map(run.judged.map((record) => [record.id, record]))
  const wanted = new Map(
    expected.windows.map(({ key, start, end, ids }) => {
      const values = ids.map((id) => records.get(id)!.value)
      return [`${typeof key}${key}@${start}-${end}`, { ids: ids.toSorted((a, b) => a - b), values }]
    }),
  )
  expect([...rows.keys()].sort()).toEqual([...wanted.keys()].sort())
  for (const [name, { ids, values }] of wanted) {
    const { row } = rows.get(name)!
    expect(row.records).toBe(ids.length)
    expect(row.sum).toBe(wholeSum(values))
    if ('mean' in row) expect(row.mean).toBe(wholeSum(values) / ids.length)
    if ('ids' in row) expect(row.ids).toEqual(ids)
    if ('lowest' in row) expect([row.lowest, row.highest]).toEqual([Math.min(...values) + 0, Math.max(...values) + 0])
  }
  expect(run.late.toSorted((a, b) => a.id - b.id)).toEqual(expected.late.toSorted((a, b) => a.id - b.id))
  expect(run.bad).toEqual([])
}
