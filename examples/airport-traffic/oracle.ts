import type { Flight } from '../airport-delays/convert.ts'
import { judge, sessionWindows, slidingWindows } from '../reference.ts'

const minute = 60_000
const hour = 60 * minute

/** What the job reads of a flight. */
export type TrafficInput = Pick<Flight, 'origin' | 'delay' | 'distance' | 'scheduledAt'>

interface Span {
  readonly airport: string
  readonly from: number
  readonly to: number
  readonly departures: number
}

export interface TrafficResults {
  readonly traffic: (Span & { readonly meanDelay: number })[]
  readonly waves: (Span & { readonly farthest: number })[]
  /** Late for every sliding window; late for the sessions. */
  readonly late: { readonly traffic: readonly TrafficInput[]; readonly waves: readonly TrafficInput[] }
}

/** @param partitions the flights of each partition, in offset order. @returns what the job's two topics must hold in the end. */
export function airportTraffic(
  partitions: readonly (readonly TrafficInput[])[],
  { outOfOrdernessMs = 50 * minute, allowedLatenessMs = 0 } = {},
): TrafficResults {
  const judged = judge(partitions, (flight) => flight.scheduledAt, outOfOrdernessMs)
  const gather = {
    key: (flight: TrafficInput) => flight.origin,
    begin: (): TrafficInput[] => [],
    add: (list: TrafficInput[], flight: TrafficInput) => [...list, flight],
  }
  const sliding = slidingWindows(judged, { sizeMs: 6 * hour, slideMs: hour, allowedLatenessMs }, gather)
  const sessions = sessionWindows(judged, { gapMs: 2 * hour, allowedLatenessMs }, gather)
  return {
    traffic: sliding.windows.map(({ key, start, end, result: list }) => ({
      airport: String(key),
      from: start,
      to: end,
      departures: list.length,
      meanDelay: list.reduce((sum, { delay }) => sum + delay, 0) / list.length,
    })),
    waves: sessions.windows.map(({ key, start, end, result: list }) => ({
      airport: String(key),
      from: start,
      to: end,
      departures: list.length,
      farthest: Math.max(...list.map(({ distance }) => distance)),
    })),
    late: { traffic: sliding.late, waves: sessions.late },
  }
}
