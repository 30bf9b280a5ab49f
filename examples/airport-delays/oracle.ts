import { judge, slidingWindows } from '../reference.ts'
import type { Flight } from './convert.ts'

const hour = 3_600_000
const day = 24 * hour

/** What the job reads of a flight. */
export type DelayInput = Pick<Flight, 'origin' | 'delay' | 'scheduledAt'>

export interface DelayRow {
  readonly airport: string
  readonly day: number
  readonly flights: number
  readonly mean: number
  readonly worst: number
}

/** @param partitions the flights of each partition, in offset order. @returns what the topic delays-by-airport must hold in the end. */
export function airportDelays(
  partitions: readonly (readonly DelayInput[])[],
  { outOfOrdernessMs = hour, allowedLatenessMs = 0 } = {},
): { rows: DelayRow[]; late: readonly DelayInput[] } {
  const { windows, late } = slidingWindows(
    judge(partitions, (flight) => flight.scheduledAt, outOfOrdernessMs),
    { sizeMs: day, slideMs: day, allowedLatenessMs },
    { key: (flight) => flight.origin, begin: (): number[] => [], add: (list, flight) => [...list, flight.delay] },
  )
  const rows = windows.map(({ key, start, result: list }) => ({
    airport: String(key),
    day: start,
    flights: list.length,
    // Delays are whole minutes: their sum is exact in any order.
    mean: list.reduce((sum, delay) => sum + delay, 0) / list.length,
    worst: Math.max(...list),
  }))
  return { rows, late }
}
