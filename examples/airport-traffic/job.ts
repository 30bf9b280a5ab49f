import { avg, count, defineJob, max, session, sliding, topic } from 'reprise'
import { z } from 'zod'

/** The same topic as in airport-delays. Reports may come fifty minutes out of order here; what comes later is late for the sessions. */
export const flights = topic('flights', {
  value: z.object({ origin: z.string(), delay: z.number(), distance: z.number(), scheduledAt: z.number() }),
  key: (flight) => flight.origin,
  eventTime: (flight) => flight.scheduledAt,
  outOfOrderness: '50m',
})

export const traffic = topic('traffic-by-airport', {
  kind: 'table',
  value: z.object({ airport: z.string(), from: z.number(), to: z.number(), departures: z.number(), meanDelay: z.number() }),
  key: (row) => `${row.airport}/${row.from}`,
})

export const waves = topic('departure-waves', {
  value: z.object({ airport: z.string(), from: z.number(), to: z.number(), departures: z.number(), farthest: z.number() }),
})

/** The traffic of the last six hours of each airport, hour by hour, and its waves: departures with less than two hours between them. */
export default defineJob('airport-traffic', (job) => {
  const byOrigin = job.from(flights).keyBy('by-origin', (flight) => flight.origin)

  byOrigin
    .window('last-six-hours', sliding('6h', '1h'))
    .aggregate({ departures: count(), meanDelay: avg((flight) => flight.delay) })
    .map((row, window) => ({ airport: window.key, from: window.start, to: window.end, ...row }))
    .to(traffic)

  byOrigin
    .window('waves', session('2h'))
    .aggregate({ departures: count(), farthest: max((flight) => flight.distance) })
    .map((row, window) => ({ airport: window.key, from: window.start, to: window.end, ...row }))
    .to(waves)
})
