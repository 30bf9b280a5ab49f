import { assert } from '../../engine/assert.ts'

type Comparable = number | string

/** Adds `times` of a value to sorted different values and their counts: numbers, then strings, then NaN. Both lists change in place. */
export function addValue(values: Comparable[], counts: number[], value: Comparable, times: number): void {
  const place = placeOf(values, value)
  if (place < values.length && Object.is(values[place], value)) counts[place]! += times
  else {
    values.splice(place, 0, value)
    counts.splice(place, 0, times)
  }
}

export function removeValue(values: Comparable[], counts: number[], value: Comparable): void {
  const place = placeOf(values, value)
  assert(Object.is(values[place], value), () => `${String(value)} was not added`)
  if (--counts[place]! > 0) return
  values.splice(place, 1)
  counts.splice(place, 1)
}

export function mergeValues(values: Comparable[], counts: number[], others: readonly Comparable[], otherCounts: readonly number[]): void {
  for (let i = 0; i < others.length; i++) addValue(values, counts, others[i]!, otherCounts[i]!)
}

/** The first place whose value is not below. */
function placeOf(values: readonly Comparable[], value: Comparable): number {
  let from = 0
  let to = values.length
  while (from < to) {
    const middle = (from + to) >>> 1
    if (before(values[middle]!, value)) from = middle + 1
    else to = middle
  }
  return from
}

function before(a: Comparable, b: Comparable): boolean {
  if (Number.isNaN(a)) return false
  if (Number.isNaN(b)) return true
  return typeof a === typeof b ? a < b : typeof a === 'number'
}
