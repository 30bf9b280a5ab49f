import { avg, count, defineJob, max, sum, topic, tumbling } from 'reprise'
import { z } from 'zod'
import { flights } from './job.ts'

/** As in job.ts, and how many departures were early: readers of the topic find a field more. */
export const delays = topic('delays-by-airport', {
  kind: 'table',
  value: z.object({ airport: z.string(), day: z.number(), flights: z.number(), mean: z.number(), worst: z.number(), early: z.number() }),
  key: (row) => `${row.airport}/${row.day}`,
})

export default defineJob('airport-delays', (job) => {
  job
    .from(flights)
    .keyBy('by-origin', (flight) => flight.origin)
    .window('daily', tumbling('1d'))
    .aggregate({
      flights: count(),
      mean: avg((flight) => flight.delay),
      worst: max((flight) => flight.delay),
      early: sum((flight) => (flight.delay < 0 ? 1 : 0)),
    })
    .map((row, window) => ({ airport: window.key, day: window.start, ...row }))
    .to(delays)
})
