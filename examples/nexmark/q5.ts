import { count, defineJob, sliding, topic } from 'reprise'
import { z } from 'zod'

export const bids = topic('bids', { value: z.object({ auction: z.number(), dateTime: z.number() }), eventTime: (bid) => bid.dateTime })

export const results = topic('nexmark-q5', {
  value: z.object({ auction: z.number(), start: z.number(), end: z.number(), bids: z.number() }),
})

/** Hot items, their count: the bids of each auction in the last ten seconds, every two seconds. */
export default defineJob('nexmark-q5', (job) => {
  job
    .from(bids)
    .keyBy('by-auction', (bid) => bid.auction)
    .window('last-ten-seconds', sliding('10s', '2s'))
    .aggregate({ bids: count() })
    .map(({ bids }, window) => ({ auction: window.key, start: window.start, end: window.end, bids }))
    .to(results)
})
