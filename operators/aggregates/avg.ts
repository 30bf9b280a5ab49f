import type { Aggregator } from './aggregator.ts'
import { sumCode, sumHelpers } from './sum.ts'

/** The mean of a number of each record: the exact sum by the count. */
export function avg<T>(value: (record: T) => number): Aggregator<T, number> {
  const code = (i: number) => {
    const sum = sumCode(i)
    return { ...sum, result: `${sum.result}/c.n` }
  }
  return { type: 'avg', retractable: true, how: { value, takes: 'number', helpers: sumHelpers, code } }
}
