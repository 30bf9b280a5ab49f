import { count, defineJob, session, topic } from 'reprise'
import { z } from 'zod'

export const bids = topic('bids', { value: z.object({ bidder: z.number(), dateTime: z.number() }), eventTime: (bid) => bid.dateTime })

export const results = topic('nexmark-q11', {
  value: z.object({ bidder: z.number(), start: z.number(), end: z.number(), bids: z.number() }),
})

/** User sessions: how many bids a bidder made before a pause of ten seconds. */
export default defineJob('nexmark-q11', (job) => {
  job
    .from(bids)
    .keyBy('by-bidder', (bid) => bid.bidder)
    .window('sessions', session('10s'))
    .aggregate({ bids: count() })
    .map(({ bids }, window) => ({ bidder: window.key, start: window.start, end: window.end, bids }))
    .to(results)
})
