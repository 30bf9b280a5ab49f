import { count, defineJob, sliding, topic } from 'reprise'
import { z } from 'zod'

export const bids = topic('bids', { value: z.object({ auction: z.number(), dateTime: z.number() }), eventTime: (bid) => bid.dateTime })

export const results = topic('nexmark-q5-60-1', {
  value: z.object({ auction: z.number(), start: z.number(), end: z.number(), bids: z.number() }),
})

/** The bids of each auction in the last minute, every second: 60 windows overlap at any time. */
export default defineJob('nexmark-q5-60-1', (job) => {
  job
    .from(bids)
    .keyBy('by-auction', (bid) => bid.auction)
    .window('last-minute', sliding('60s', '1s'))
    .aggregate({ bids: count() })
    .map(({ bids }, window) => ({ auction: window.key, start: window.start, end: window.end, bids }))
    .to(results)
})
