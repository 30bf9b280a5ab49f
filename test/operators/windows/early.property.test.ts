import fc from 'fast-check'
import { expect, test } from 'vitest'
import { count } from '../../../operators/aggregates/count.ts'
import { max } from '../../../operators/aggregates/extremes.ts'
import { sum } from '../../../operators/aggregates/sum.ts'
import { describeWindow, session, sliding, tumbling, type WindowOptions, type WindowSpec } from '../../../operators/windows/spec.ts'
import { windowOperator } from '../../../operators/windows/window-operator.ts'
import { windowRuns } from '../../support/lane.ts'
import { Random } from '../../support/random.ts'
import {
  type Expected,
  type ExpectedWindow,
  expectFixed,
  expectSessions,
  type JudgedRecord,
  wholeSum,
} from '../../support/window-oracle.ts'
import { type Emitted, finalRows, interleave, type LogRecord, randomPartitions, runWindows } from '../../support/window-run.ts'

const numRuns = windowRuns(100)

interface Kind {
  readonly make: (options: WindowOptions) => WindowSpec
  readonly lateness: number
  readonly early: number
  readonly expected: (records: readonly JudgedRecord[]) => Expected
}

function fixed(size: number, slide: number, lateness: number, early: number): Kind {
  return {
    make: (options) => (size === slide ? tumbling(size, options) : sliding(size, slide, options)),
    lateness,
    early,
    expected: (records) => expectFixed(records, { size, slide, lateness }),
  }
}

function sessions(gap: number, lateness: number, early: number): Kind {
  return { make: (options) => session(gap, options), lateness, early, expected: (records) => expectSessions(records, { gap, lateness }) }
}

const kinds: readonly Kind[] = [
  fixed(20, 20, 0, 3),
  fixed(10, 10, 7, 4),
  fixed(10, 4, 0, 3),
  fixed(12, 3, 5, 1),
  fixed(9, 3, 0, 5),
  sessions(6, 0, 2),
  sessions(6, 4, 1),
  sessions(3, 9, 7),
]
const all = {
  n: count(),
  total: sum((record: LogRecord) => record.value),
  highest: max((record: LogRecord) => record.value),
}
const invertible = { n: all.n, total: all.total }

for (const kind of kinds) {
  const options: WindowOptions = { allowedLateness: kind.lateness }
  const spec = kind.make({ ...options, early: kind.early })
  const ofAggregators = (of: WindowSpec, which: boolean) => windowOperator<LogRecord, Record<string, unknown>>(of, which ? all : invertible)
  const seeds = (check: (random: Random) => void) =>
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => check(new Random(seed))),
      { numRuns },
    )

  test(`${describeWindow(spec)}: final results are the same with and without, whatever the budget and wherever it starts over`, () => {
    seeds((random) => {
      const which = random.chance(0.5)
      const partitions = randomPartitions(random)
      const slices = interleave(partitions, random, 0.15)
      const plain = runWindows(ofAggregators(kind.make(options), which), partitions, slices)
      const { emitted, late, stores } = runWindows(ofAggregators(spec, which), partitions, slices, {
        budget: () => random.int(4),
        crash: () => random.chance(0.5),
      })
      expect(emitted.filter(({ early }) => early !== true)).toEqual(plain.emitted)
      expect(late).toEqual(plain.late)
      expect([...finalRows(emitted).values()].filter(({ early }) => early === true)).toEqual([])
      expect(stores.names()).toEqual([])
    })
  })

  test(`${describeWindow(spec)}: early results are what the records before them say, and no more than changes and intervals`, () => {
    seeds((random) => {
      const partitions = randomPartitions(random)
      const slices = interleave(partitions, random, 0.3)
      const given = new Map<string, number>()
      let ticks = 0
      let seen = 0
      const run = runWindows(ofAggregators(spec, true), partitions, slices, {
        budget: () => 1 + random.int(4),
        crash: () => random.chance(0.2),
        onTime(from, to, emitted, judged) {
          const standing = [...finalRows(emitted).values()].filter(({ early }) => early === true)
          for (const { end } of standing) expect(end).toBeGreaterThan(to)
          const fresh = emitted.slice(seen).filter(({ early, retract }) => early === true && !retract)
          seen = emitted.length
          for (const result of fresh) given.set(nameOf(result), (given.get(nameOf(result)) ?? 0) + 1)
          const open = kind.expected(judged).windows.filter(({ end }) => end > to)
          const rows = new Map(open.map((window) => [nameOf(window), rowOf(window, judged)]))
          for (const result of fresh) expect(result.row).toEqual(rows.get(nameOf(result)))
          if (!(Math.floor(to / kind.early) > Math.floor(from / kind.early)) || from === Number.NEGATIVE_INFINITY) return
          ticks++
          // At an interval's end, what stands is all there is.
          expect(new Map(standing.map((result) => [nameOf(result), result.row]))).toEqual(rows)
        },
      })
      const records = new Map(kind.expected(run.judged).windows.map((window) => [nameOf(window), window.ids.length]))
      for (const [name, times] of given) {
        if (spec.kind === 'session') continue
        expect(times).toBeLessThanOrEqual(Math.min(records.get(name)!, ticks))
      }
    })
  })
}

function nameOf({ key, start, end }: Pick<Emitted, 'key' | 'start' | 'end'>): string {
  return `${typeof key}${key}@${start}-${end}`
}

function rowOf({ ids }: ExpectedWindow, records: readonly JudgedRecord[]): unknown {
  const values = ids.map((id) => records.find((record) => record.id === id)!.value)
  return { n: ids.length, total: wholeSum(values), highest: Math.max(...values) + 0 }
}
