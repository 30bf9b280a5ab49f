import { count, defineJob, topic, tumbling } from 'reprise'
import { z } from 'zod'

export const bids = topic('bids', { value: z.object({ bidder: z.number(), dateTime: z.number() }), eventTime: (bid) => bid.dateTime })

export const results = topic('nexmark-q12-event-time', {
  value: z.object({ bidder: z.number(), start: z.number(), end: z.number(), bids: z.number() }),
})

/** The bids of each bidder in ten seconds of event time. */
export default defineJob('nexmark-q12-event-time', (job) => {
  job
    .from(bids)
    .keyBy('by-bidder', (bid) => bid.bidder)
    .window('ten-seconds', tumbling('10s'))
    .aggregate({ bids: count() })
    .map(({ bids }, window) => ({ bidder: window.key, start: window.start, end: window.end, bids }))
    .to(results)
})
