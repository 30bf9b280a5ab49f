import { z } from 'zod'
import type { Bids } from '../../examples/nexmark/oracle.ts'
import { judge } from '../../examples/reference.ts'
import { defineJob, output, topic, value } from '../../index.ts'

const bids = topic('bids', {
  value: z.object({ bidder: z.number(), price: z.number(), dateTime: z.number() }),
  eventTime: (bid) => bid.dateTime,
})

const row = z.object({ bidder: z.number(), n: z.number(), price: z.number(), quietAt: z.number() })
type Row = z.infer<typeof row>

export const results = topic('quiet-bidders', { value: row })

const pauseMs = 10_000

/** Numbers the bids of each bidder, in the order of their times, and begins anew when the bidder was quiet for ten seconds; says when that was. */
export default defineJob('quiet-bidders', (job) => {
  job
    .from(bids)
    .keyBy('by-bidder', (bid) => bid.bidder)
    .process('count', {
      state: { count: value<number>(), last: value<number>() },
      output: output<Row>(),
      onRecord({ key, time, state, emit, setTimer }, { price }) {
        const n = (state.count.get() ?? 0) + 1
        state.count.put(n)
        state.last.put(time)
        setTimer(time + pauseMs)
        emit({ bidder: key, n, price, quietAt: 0 })
      },
      onTimer({ key, state, emit }, { at }) {
        if (state.last.get() !== at - pauseMs) return
        emit({ bidder: key, n: state.count.get() ?? 0, price: 0, quietAt: at })
        state.count.clear()
      },
    })
    .to(results)
})

/** The same by brute force: records of a bidder sorted by time, then partition, then offset. */
export function expected(partitions: Bids): { readonly rows: readonly Row[]; readonly late: number } {
  const judged = partitions.flatMap((records, partition) =>
    judge([records], (bid) => bid.dateTime, 0).map((bid, offset) => ({ ...bid, partition, offset })),
  )
  const onTime = judged.filter(({ eventTime, stamp }) => eventTime >= stamp)
  onTime.sort((a, b) => a.eventTime - b.eventTime || a.partition - b.partition || a.offset - b.offset)
  const rows: Row[] = []
  for (const bidder of new Set(onTime.map(({ value }) => value.bidder))) {
    const own = onTime.filter(({ value }) => value.bidder === bidder)
    let n = 0
    own.forEach(({ value, eventTime }, i) => {
      rows.push({ bidder, n: ++n, price: value.price, quietAt: 0 })
      const next = own[i + 1]?.eventTime ?? Number.POSITIVE_INFINITY
      if (next < eventTime + pauseMs) return
      rows.push({ bidder, n, price: 0, quietAt: eventTime + pauseMs })
      n = 0
    })
  }
  return { rows, late: judged.length - onTime.length }
}
