import { avg, count, defineJob, max, topic, tumbling } from 'reprise'
import { z } from 'zod'

export const flights = topic('flights', {
  value: z.object({ origin: z.string(), delay: z.number(), scheduledAt: z.number() }),
  key: (flight) => flight.origin,
  eventTime: (flight) => flight.scheduledAt,
  outOfOrderness: '1h',
})

export const delays = topic('delays-by-airport', {
  kind: 'table',
  value: z.object({ airport: z.string(), day: z.number(), flights: z.number(), mean: z.number(), worst: z.number() }),
  key: (row) => `${row.airport}/${row.day}`,
})

/** How late each airport's departures were, day by day. */
export default defineJob('airport-delays', (job) => {
  job
    .from(flights)
    .keyBy('by-origin', (flight) => flight.origin)
    .window('daily', tumbling('1d'))
    .aggregate({ flights: count(), mean: avg((flight) => flight.delay), worst: max((flight) => flight.delay) })
    .map((row, window) => ({ airport: window.key, day: window.start, ...row }))
    .to(delays)
})
