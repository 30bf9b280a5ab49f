import { avg, count, type JobBuilder, max, session, sliding, topic, tumbling } from 'reprise'
import { z } from 'zod'

const events = topic('events', {
  value: z.object({ key: z.string(), at: z.number(), value: z.number() }),
  key: (event) => event.key,
  eventTime: (event) => event.at,
  outOfOrderness: '2s',
})
const totals = topic('totals', {
  kind: 'table',
  value: z.object({ key: z.string(), start: z.number(), count: z.number(), mean: z.number(), highest: z.number() }),
  key: (row) => `${row.key}/${row.start}`,
})
const moving = topic('moving', { value: z.object({ key: z.string(), start: z.number(), count: z.number() }) })
const visits = topic('visits', { value: z.object({ key: z.string(), start: z.number(), end: z.number(), count: z.number() }) })

export interface KillEvent {
  readonly key: string
  readonly at: number
  readonly value: number
}

/** One of each window, so that a crash meets all kinds of state. */
export function build(job: JobBuilder, key: (event: KillEvent) => string): void {
  const byKey = job.from(events).keyBy('by-key', key)
  byKey
    .window('totals', tumbling('10s'))
    .aggregate({ count: count(), mean: avg((event) => event.value), highest: max((event) => event.value) })
    .map((row, window) => ({ key: window.key, start: window.start, ...row }))
    .to(totals)
  byKey
    .window('moving', sliding('10s', '2s'))
    .aggregate({ count: count() })
    .map((row, window) => ({ key: window.key, start: window.start, ...row }))
    .to(moving)
  byKey
    .window('visits', session('3s'))
    .aggregate({ count: count() })
    .map((row, window) => ({ key: window.key, start: window.start, end: window.end, ...row }))
    .to(visits)
}
