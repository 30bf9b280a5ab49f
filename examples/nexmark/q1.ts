import { defineJob, topic } from 'reprise'
import { z } from 'zod'

export const bids = topic('bids', {
  value: z.object({ auction: z.number(), bidder: z.number(), price: z.number(), dateTime: z.number(), extra: z.string() }),
  eventTime: (bid) => bid.dateTime,
})

export const results = topic('nexmark-q1', {
  value: z.object({ auction: z.number(), bidder: z.number(), price: z.number(), dateTime: z.number(), extra: z.string() }),
})

const eurosPerDollar = 0.908

/** Currency conversion: every bid with its price in euro cents. */
export default defineJob('nexmark-q1', (job) => {
  job
    .from(bids)
    .map((bid) => ({ ...bid, price: bid.price * eurosPerDollar }))
    .to(results)
})
