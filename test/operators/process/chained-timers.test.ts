import { TestKit } from 'reprise/testing'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { defineJob, output, topic } from '../../../index.ts'

const events = topic('events', { value: z.object({ k: z.string(), t: z.number() }), eventTime: ({ t }) => t, idleAfter: 'never' })
const rings = topic('rings', { kind: 'table', value: z.object({ id: z.string() }), key: ({ id }) => id })

/** Each timer sets the next one, ten milliseconds later. */
const job = defineJob('ringing', (builder) => {
  builder
    .from(events)
    .keyBy('by-k', ({ k }) => k)
    .process('rings', {
      state: {},
      output: output<{ id: string }>(),
      onRecord: (context) => context.setTimer(context.time + 10),
      onTimer: (context, timer) => {
        context.emit({ id: `${String(context.key)}@${timer.at}` })
        context.setTimer(timer.at + 10)
      },
    })
    .to(rings)
})

test('how far timers that set timers go when input is complete depends neither on tasks nor on slices', async () => {
  for (const [parallelism, settings] of [
    [1, {}],
    [2, {}],
    [2, { sliceRecordsMax: 1 }],
    [3, { sliceRecordsMax: 1 }],
  ] as const) {
    await using kit = await TestKit.start(job, { startAt: 1_000_000, partitions: { events: 2 }, parallelism, settings })
    // One partition ends at 5, the other at 100: event time is at 5.
    await kit.send(events, [{ k: 'x', t: 5 }], { partition: 0 })
    await kit.send(
      events,
      [
        { k: 'y', t: 5 },
        { k: 'y', t: 100 },
      ],
      { partition: 1 },
    )
    await kit.settle()
    await kit.complete()
    expect([...(await kit.table(rings)).keys()].sort(), `${parallelism} tasks`).toEqual(['x@15', 'y@110', 'y@15'])
  }
})
