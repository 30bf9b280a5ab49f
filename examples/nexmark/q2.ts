import { defineJob, topic } from 'reprise'
import { z } from 'zod'

export const bids = topic('bids', {
  value: z.object({ auction: z.number(), price: z.number(), dateTime: z.number() }),
  eventTime: (bid) => bid.dateTime,
})

export const results = topic('nexmark-q2', { value: z.object({ auction: z.number(), price: z.number() }) })

/** Selection: the bids for one auction in 123. */
export default defineJob('nexmark-q2', (job) => {
  job
    .from(bids)
    .filter((bid) => bid.auction % 123 === 0)
    .map(({ auction, price }) => ({ auction, price }))
    .to(results)
})
