import { defineJob, max, topic, tumbling } from 'reprise'
import { z } from 'zod'

export const bids = topic('bids', { value: z.object({ price: z.number(), dateTime: z.number() }), eventTime: (bid) => bid.dateTime })

export const results = topic('nexmark-q7', { value: z.object({ start: z.number(), end: z.number(), price: z.number() }) })

/** The highest bid of every ten seconds, over all auctions: one key takes everything. */
export default defineJob('nexmark-q7', (job) => {
  job
    .from(bids)
    .keyBy('all', () => 'all')
    .window('ten-seconds', tumbling('10s'))
    .aggregate({ price: max((bid) => bid.price) })
    .map(({ price }, window) => ({ start: window.start, end: window.end, price }))
    .to(results)
})
