import { count, defineJob, topic, tumbling } from 'reprise'
import { z } from 'zod'

export const bids = topic('bids', { value: z.object({ bidder: z.number(), dateTime: z.number() }), eventTime: (bid) => bid.dateTime })

export const results = topic('nexmark-q12', {
  value: z.object({ bidder: z.number(), start: z.number(), end: z.number(), bids: z.number() }),
})

/** The bids of each bidder in ten seconds of processing time, which is the time the log took them: a replay gives the same windows. */
export default defineJob('nexmark-q12', (job) => {
  job
    .from(bids)
    .keyBy('by-bidder', (bid) => bid.bidder)
    .window('ten-seconds', tumbling('10s', { time: 'processing' }))
    .aggregate({ bids: count() })
    .map(({ bids }, window) => ({ bidder: window.key, start: window.start, end: window.end, bids }))
    .to(results)
})
