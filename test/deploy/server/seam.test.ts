import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { inspectJob } from '../../../deploy/server/inspected-job.ts'
import { historySeam, seamOf } from '../../../deploy/server/seam.ts'
import { count, defineJob, max, session, sliding, topic, tumbling, type WindowOptions } from '../../../index.ts'

/** Of whatever kind. */
type Window = object

function job(window: Window, { outOfOrderness = '1s', more = false }: { outOfOrderness?: string; more?: boolean } = {}) {
  const input = topic('in', {
    value: z.object({ key: z.string(), n: z.number(), at: z.number() }),
    eventTime: ({ at }) => at,
    outOfOrderness,
  })
  const topology = defineJob('seams', (builder) => {
    const windowed = builder
      .from(input)
      .keyBy('by-key', ({ key }) => key)
      .window('counts', window as ReturnType<typeof tumbling<never>>)
    if (more) windowed.aggregate({ n: count(), highest: max(({ n }) => n) }).to(topic('out', { codec: 'json' }))
    else windowed.aggregate({ n: count() }).to(topic('out', { codec: 'json' }))
  })
  return inspectJob(topology, 'sha')
}

test('other aggregates over the same windows make no seam', () => {
  expect(seamOf(job(tumbling('10s')), job(tumbling('10s'), { more: true }))).toEqual({ differs: [], changedWindows: [] })
})

test.each<[string, Window, Window]>([
  ['gap', session('10s'), session('11s')],
  ['kind', tumbling('10s'), session('10s')],
  ['lateness', tumbling('10s'), tumbling('10s', { allowedLateness: '1s' } satisfies WindowOptions)],
  ['size, with lateness,', tumbling('10s', { allowedLateness: '1s' }), tumbling('20s', { allowedLateness: '1s' })],
  ['size, with early results,', tumbling('10s', { early: '1s' }), tumbling('20s', { early: '1s' })],
  ['time', tumbling('10s'), tumbling('10s', { time: 'processing' })],
])('another %s makes a seam, named with both', (_, before, after) => {
  const { differs, changedWindows } = seamOf(job(before), job(after))
  expect(differs).toEqual([expect.stringMatching(/^counts: .+ → .+$/)])
  expect(changedWindows).toEqual([])
})

test.each<[string, Window, Window, number, number]>([
  ['size', tumbling('10s'), tumbling('20s'), 10_000, 20_000],
  ['slide', sliding('10s', '5s'), sliding('10s', '2s'), 5000, 2000],
  ['size, with the same slide,', sliding('10s', '5s'), sliding('20s', '5s'), 5000, 5000],
])('another %s leaves a switch exact where windows of both end', (_, before, after, every, everyAfter) => {
  const { differs, changedWindows } = seamOf(job(before), job(after))
  expect(differs).toEqual([])
  expect(changedWindows).toEqual([
    {
      what: expect.stringMatching(/^counts: .+ → .+$/) as string,
      before: { everyMs: every, time: 'event' },
      after: { everyMs: everyAfter, time: 'event' },
    },
  ])
})

describe('windows of other names', () => {
  type Windows = Readonly<Record<string, Window>>

  /** Each window, or nothing at all, behind an output. */
  function jobOf(outputs: Readonly<Record<string, Windows>>) {
    const input = topic('in', { value: z.object({ key: z.string() }) })
    return inspectJob(
      defineJob('seams', (builder) => {
        const keyed = builder.from(input).keyBy('by-key', ({ key }) => key)
        for (const [output, windows] of Object.entries(outputs)) {
          const out = topic(output, { codec: 'json' })
          if (Object.keys(windows).length === 0) keyed.to(out)
          for (const [name, window] of Object.entries(windows))
            keyed
              .window(name, window as ReturnType<typeof tumbling<never>>)
              .aggregate({ n: count() })
              .to(out)
        }
      }),
      'sha',
    )
  }
  const between = (before: Windows, after: Windows) => seamOf(jobOf({ out: before }), jobOf({ out: after }))
  const day = tumbling('1d')
  const hour = tumbling('1h')

  test('one that cuts time alike stands for the other', () => {
    expect(between({ daily: day }, { 'by-day': day })).toEqual({ differs: [], changedWindows: [] })
    expect(between({ daily: day, hourly: hour }, { a: hour, b: day })).toEqual({ differs: [], changedWindows: [] })
  })

  test('one that cuts time in another way leaves a switch exact at common ends', () => {
    expect(between({ daily: day }, { hourly: hour })).toEqual({
      differs: [],
      changedWindows: [
        {
          what: 'daily: tumbling 1d → hourly: tumbling 1h',
          before: { everyMs: 86_400_000, time: 'event' },
          after: { everyMs: 3_600_000, time: 'event' },
        },
      ],
    })
    expect(between({ daily: day }, { visits: session('1h') })).toEqual({
      differs: ['daily: tumbling 1d → visits: session gap 1h'],
      changedWindows: [],
    })
  })

  test('one that comes or goes makes a seam', () => {
    expect(between({ daily: day }, {}).differs).toEqual(['daily: tumbling 1d → no window'])
    expect(between({}, { daily: day }).differs).toEqual(['daily: no window → tumbling 1d'])
    expect(between({ daily: day }, { daily: day, hourly: hour }).differs).toEqual(['hourly: no window → tumbling 1h'])
  })

  test('behind a topic that only one of them publishes there is nothing to hand over', () => {
    const [one, two] = [jobOf({ out: { daily: day } }), jobOf({ out: { daily: day }, more: { hourly: hour } })]
    expect(seamOf(one, two)).toEqual({ differs: [], changedWindows: [] })
    expect(seamOf(two, one)).toEqual({ differs: [], changedWindows: [] })
  })
})

test('event time from elsewhere makes a seam', () => {
  const jobOf = (eventTime: boolean) =>
    inspectJob(
      defineJob('seams', (builder) => {
        const value = z.object({ at: z.number() })
        const input = eventTime ? topic('in', { value, eventTime: ({ at }) => at }) : topic('in', { value })
        builder.from(input).to(topic('out', { codec: 'json' }))
      }),
      'sha',
    )
  expect(seamOf(jobOf(true), jobOf(false)).differs).toEqual(['in: event time of its values → of its records'])
  expect(seamOf(jobOf(true), jobOf(true)).differs).toEqual([])
})

test('sources that may be further out of order make a seam', () => {
  expect(seamOf(job(tumbling('10s')), job(tumbling('10s'), { outOfOrderness: '3s' })).differs).toEqual(['in: out of order by 1 s → 3 s'])
})

test('where versions begin makes a seam, by partition, for a job that keeps state', () => {
  const windowed = job(tumbling('10s'))
  expect(historySeam(windowed, {}, {})).toEqual([])
  expect(historySeam(windowed, { 'in/0': 5 }, { 'in/0': 5 })).toEqual([])
  expect(historySeam(windowed, { 'in/1': 5 }, { 'in/0': 3, 'in/1': 6 })).toEqual([
    'in/0: history from 0 → from 3',
    'in/1: history from 5 → from 6',
  ])
  const input = topic('in', { codec: 'json' })
  const stateless = inspectJob(
    defineJob('seams', (builder) => void builder.from(input).to(topic('out', { codec: 'json' }))),
    'sha',
  )
  expect(historySeam(stateless, {}, { 'in/0': 3 })).toEqual([])
})
