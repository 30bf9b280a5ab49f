import { defineJob, topic } from 'reprise'
import { z } from 'zod'

export const bids = topic('bids', {
  value: z.object({ auction: z.number(), bidder: z.number(), price: z.number(), dateTime: z.number(), extra: z.string() }),
  eventTime: (bid) => bid.dateTime,
})

export const results = topic('nexmark-q0', {
  value: z.object({ auction: z.number(), bidder: z.number(), price: z.number(), dateTime: z.number(), extra: z.string() }),
})

/** Pass-through: every bid is read and written again, without channel and url. What reading and writing alone cost. */
export default defineJob('nexmark-q0', (job) => {
  job.from(bids).to(results)
})
