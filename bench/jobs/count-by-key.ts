import { count, defineJob, topic, tumbling } from 'reprise'
import { z } from 'zod'

const events = topic('events', { value: z.object({ key: z.number(), at: z.number() }), eventTime: (event) => event.at })

const results = topic('counts', { value: z.object({ key: z.number(), events: z.number() }) })

/** One count for each key in a window that does not end while it is measured: as much state as there are keys, all of it being updated. */
export default defineJob('count-by-key', (job) => {
  job
    .from(events)
    .keyBy('by-key', (event) => event.key)
    .window('always', tumbling('3650d'))
    .aggregate({ events: count() })
    .map((row, window) => ({ key: Number(window.key), events: row.events }))
    .to(results)
})
