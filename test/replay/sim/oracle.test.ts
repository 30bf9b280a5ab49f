import { expect, test } from 'vitest'
import { type OracleCut, type OracleRecord, type OracleSpec, publicOutput } from './oracle.ts'

const spec = (kind: OracleSpec['kind'], more: Partial<OracleSpec> = {}): OracleSpec => ({
  kind,
  sizeMs: 10,
  slideMs: more.sizeMs ?? 10,
  allowedLatenessMs: 0,
  outOfOrdernessMs: 0,
  ...more,
})
const records = (...times: number[]): OracleRecord[] => times.map((time, id) => ({ id, key: 'k', time, amount: 1 }))
const cutAt = (offset: number, watermark: number, to = 2): OracleCut => ({ to, offsets: [offset], watermark, processing: 0 })

/** By whom, up to when, how many. */
function rows(specs: OracleSpec[], input: OracleRecord[], cuts: OracleCut[]): string[] {
  const { rows, late } = publicOutput({ specs, partitions: [input], appendTimes: new Map(), cuts })
  const found = rows as { by: number; end: number; n: number }[]
  return [...found.map(({ by, end, n }) => `v${by} ${end}: ${n}`), ...late.map((id) => `late ${id}`)]
}

test('with equal specs each window comes once, of whoever published when time passed it', () => {
  const same = spec('tumbling')
  expect(rows([same, same], records(1, 2, 11, 21, 22), [cutAt(3, 11)])).toEqual(['v1 10: 2', 'v2 20: 1', 'v2 30: 2'])
})

test('where sizes differ, windows up to the cut are as the former owner saw them, all others as the next one', () => {
  expect(rows([spec('tumbling'), spec('tumbling', { sizeMs: 30 })], records(1, 12, 21, 31), [cutAt(3, 21)])).toEqual([
    'v1 10: 1',
    'v1 20: 1',
    'v2 30: 3',
    'v2 60: 1',
  ])
})

test('a record is late as the owner of its offset sees it, who judges it at least by the time of the cut', () => {
  const patient = spec('tumbling', { outOfOrdernessMs: 100 })
  expect(rows([spec('tumbling'), patient], records(25, 3, 4, 26), [cutAt(2, 25)])).toEqual(['v2 30: 2', 'late 1', 'late 2'])
})

test('a record that the switch made too late for some of its windows counts in the others, and is told of', () => {
  const sliding = (outOfOrdernessMs: number) => spec('sliding', { sizeMs: 20, slideMs: 10, outOfOrdernessMs })
  expect(rows([sliding(0), sliding(100)], records(25, 5, 26), [cutAt(1, 10)])).toEqual(['v2 40: 2', 'v2 30: 2', 'v2 20: 1', 'late 1'])
  // By its own partition it would have been too late for that window anyway.
  expect(rows([sliding(10), sliding(10)], records(25, 5, 26), [cutAt(1, 10)])).toEqual(['v2 40: 2', 'v2 30: 2', 'v2 20: 1'])
})

test('a window that takes late records is of the next owner from the first of them on', () => {
  const lenient = spec('allowed lateness', { allowedLatenessMs: 100 })
  expect(rows([lenient, lenient], records(1, 25, 2), [cutAt(2, 25)])).toEqual(['v2 10: 2', 'v2 30: 1'])
  expect(rows([lenient, lenient], records(1, 25, 26), [cutAt(2, 25)])).toEqual(['v1 10: 1', 'v2 30: 2'])
})

test('sessions by their ends', () => {
  expect(rows([spec('session'), spec('session', { sizeMs: 3 })], records(1, 5, 30, 35, 60), [cutAt(3, 30)])).toEqual([
    'v1 15: 2',
    'v2 33: 1',
    'v2 38: 1',
    'v2 63: 1',
  ])
})
