import { describe, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import {
  avg,
  count,
  defineJob,
  type KeyedStream,
  map,
  max,
  output,
  type Stream,
  string,
  type Table,
  topic,
  tumbling,
  value,
  type WindowResults,
} from '../../index.ts'

/**
 * Checked by the compiler (`npm run types`): each `@ts-expect-error` is a wrong job that must not compile, and everything else must,
 * without casts and without types written by hand. The functions here are compiled, not called.
 */
const flights = topic('flights', {
  value: z.object({ origin: z.string(), delay: z.number(), scheduledAt: z.number() }),
  key: (flight) => flight.origin,
  eventTime: (flight) => flight.scheduledAt,
})
const delays = topic('delays', {
  kind: 'table',
  value: z.object({ airport: z.string(), day: z.number(), flights: z.number(), mean: z.number(), worst: z.number() }),
  key: (row) => `${row.airport}/${row.day}`,
})
const lines = topic('lines', { codec: string() })
type Flight = { origin: string; delay: number; scheduledAt: number }

const compiled = (_job: () => unknown): void => {}

describe('types of a job', () => {
  test('flow from the schema through to the output', () => {
    compiled(() =>
      defineJob('airport-delays', (job) => {
        const source = job.from(flights)
        expectTypeOf(source).toEqualTypeOf<Stream<Flight>>()
        const keyed = source.keyBy('by-origin', (flight) => flight.origin)
        expectTypeOf(keyed).toEqualTypeOf<KeyedStream<string, Flight>>()
        const rows = keyed
          .window('daily', tumbling('1d'))
          .aggregate({ flights: count(), mean: avg((flight) => flight.delay), worst: max((flight) => flight.delay) })
        expectTypeOf(rows).toEqualTypeOf<WindowResults<string, { flights: number; mean: number; worst: number }>>()
        rows.map((row, window) => ({ airport: window.key, day: window.start, ...row })).to(delays)
      }),
    )
  })

  test('refuse an output that lacks a field, or has one of another type', () => {
    compiled(() =>
      defineJob('wrong', (job) => {
        const rows = job.from(flights).map((flight) => ({ airport: flight.origin, day: 1, flights: 1, mean: 1 }))
        // @ts-expect-error worst is missing
        rows.to(delays)
        // @ts-expect-error worst is a string
        rows.map((row) => ({ ...row, worst: '1' })).to(delays)
        // @ts-expect-error a record is no text
        rows.to(lines)
        // More fields than asked for are fine: they are not written.
        rows.map((row) => ({ ...row, worst: 1, more: true })).to(delays)
      }),
    )
  })

  test('a table also takes null, a stream does not', () => {
    compiled(() =>
      defineJob('wrong', (job) => {
        const nothing = job.from(flights).map(() => null)
        nothing.to(delays)
        // @ts-expect-error no tombstones in a stream
        nothing.to(flights)
      }),
    )
  })

  test('refuse a field that is not there', () => {
    compiled(() =>
      defineJob('wrong', (job) => {
        // @ts-expect-error no such field
        job.from(flights).map((flight) => flight.destination)
        // @ts-expect-error no such field
        job.from(flights).filter((flight) => flight.late)
        // @ts-expect-error a key is a string or a number
        job.from(flights).keyBy('by', (flight) => ({ origin: flight.origin }))
        // @ts-expect-error no such field
        job.from(flights).keyBy('by', (flight) => flight.destination)
        const window = job
          .from(flights)
          .keyBy('by-origin', (flight) => flight.origin)
          .window('w', tumbling('1d'))
        // @ts-expect-error no such field in the records
        window.aggregate({ mean: avg((flight) => flight.height) })
        // @ts-expect-error an average is of numbers
        window.aggregate({ mean: avg((flight) => flight.origin) })
      }),
    )
    // @ts-expect-error no such field
    compiled(() => topic('t', { value: z.object({ a: z.string() }), key: (value) => value.b }))
    // @ts-expect-error event time is a number
    compiled(() => topic('t', { value: z.object({ a: z.string() }), eventTime: (value) => value.a }))
    // @ts-expect-error there is no such kind
    compiled(() => topic('t', { kind: 'queue', codec: string() }))
    // @ts-expect-error neither schema nor codec
    compiled(() => topic('t', {}))
  })

  test('refuse state without a key or a name', () => {
    compiled(() =>
      defineJob('wrong', (job) => {
        // @ts-expect-error window needs keyBy
        job.from(flights).window('daily', tumbling('1d'))
        const keyed = job.from(flights).keyBy('by-origin', (flight) => flight.origin)
        // @ts-expect-error window needs a name
        keyed.window(tumbling('1d'))
        // @ts-expect-error keyBy needs a name
        job.from(flights).keyBy((flight) => flight.origin)
        // @ts-expect-error aggregate what?
        keyed.window('w', tumbling('1d')).to(delays)
      }),
    )
  })

  test('refuse a table read as a stream', () => {
    compiled(() =>
      defineJob('wrong', (job) => {
        // @ts-expect-error a table
        job.from(delays)
      }),
    )
  })

  test('refuse promises wherever a function of the job gives something', () => {
    compiled(() =>
      defineJob('wrong', (job) => {
        const source = job.from(flights)
        // @ts-expect-error async map
        source.map(async (flight) => flight.origin)
        // @ts-expect-error async filter
        source.filter(async (flight) => flight.delay > 0)
        // @ts-expect-error promises in flatMap
        source.flatMap((flight) => [Promise.resolve(flight)])
        // @ts-expect-error async flatMap
        source.flatMap(async (flight) => [flight])
        // @ts-expect-error async peek
        source.peek(async () => {})
        // @ts-expect-error async keyBy
        source.keyBy('by', async (flight) => flight.origin)
        // @ts-expect-error async branch
        source.split({ late: async (flight: Flight) => flight.delay > 0 })
        const window = source.keyBy('by-origin', (flight) => flight.origin).window('w', tumbling('1d'))
        // @ts-expect-error async map of a window
        window.aggregate({ n: count() }).map(async (row) => row)
      }),
    )
    // @ts-expect-error async job
    compiled(() => defineJob('wrong', async (job) => job.from(flights).to(flights)))
  })

  test('a type guard narrows', () => {
    type Shape = { kind: 'circle'; r: number } | { kind: 'square'; a: number }
    compiled(() =>
      defineJob('shapes', (job) => {
        const shapes = job.from(flights).map((): Shape => ({ kind: 'circle', r: 1 }))
        expectTypeOf(shapes.filter((shape) => shape.kind === 'circle')).toEqualTypeOf<Stream<{ kind: 'circle'; r: number }>>()
        expectTypeOf(shapes.filter((shape): shape is { kind: 'square'; a: number } => shape.kind === 'square')).toEqualTypeOf<
          Stream<{ kind: 'square'; a: number }>
        >()
        expectTypeOf(shapes.filter((shape) => 'r' in shape && shape.r > 1)).toEqualTypeOf<Stream<Shape>>()
        const { round, big, otherwise } = shapes.split({
          round: (shape): shape is { kind: 'circle'; r: number } => shape.kind === 'circle',
          big: (shape) => shape.kind === 'square' && shape.a > 5,
        })
        expectTypeOf(round).toEqualTypeOf<Stream<{ kind: 'circle'; r: number }>>()
        expectTypeOf(big).toEqualTypeOf<Stream<Shape>>()
        expectTypeOf(otherwise).toEqualTypeOf<Stream<Shape>>()
      }),
    )
  })

  test('a key stays with the stream until the next keyBy', () => {
    compiled(() =>
      defineJob('keys', (job) => {
        const keyed = job.from(flights).keyBy('by', (flight) => flight.delay)
        expectTypeOf(keyed.map((flight) => flight.origin)).toEqualTypeOf<KeyedStream<number, string>>()
        expectTypeOf(keyed.filter((flight) => flight.delay > 0)).toEqualTypeOf<KeyedStream<number, Flight>>()
        expectTypeOf(keyed.merge(keyed.map((flight) => flight.origin))).toEqualTypeOf<KeyedStream<number, Flight | string>>()
        expectTypeOf(keyed.merge(job.from(flights))).toEqualTypeOf<Stream<Flight>>()
        expectTypeOf(keyed.map((flight) => flight.origin).keyBy('again', (origin) => origin)).toEqualTypeOf<KeyedStream<string, string>>()
      }),
    )
  })

  test('late records go to a topic that takes them', () => {
    const lateFlights = topic('late-flights', { value: z.object({ origin: z.string(), delay: z.number() }) })
    compiled(() =>
      defineJob('late', (job) => {
        const keyed = job.from(flights).keyBy('by', (flight) => flight.origin)
        keyed.window('good', tumbling('1d', { late: lateFlights }))
        // @ts-expect-error a flight is no text
        keyed.window('wrong', tumbling('1d', { late: lines }))
        // @ts-expect-error a flight has no airport
        keyed.window('wrong', tumbling('1d', { late: delays }))
      }),
    )
  })

  test('a process knows its state, outputs and key', () => {
    type Alert = { origin: string; delay: number }
    compiled(() =>
      defineJob('process', (job) => {
        const keyed = job.from(flights).keyBy('by-origin', (flight) => flight.origin)
        const results = keyed.process('alerts', {
          state: { total: value<number>(), seen: map<string, { at: number }>({ ttl: '1d' }) },
          output: output<Alert>(),
          sideOutputs: { raw: output<number>(), lines },
          onRecord(context, flight) {
            expectTypeOf(context.key).toEqualTypeOf<string>()
            expectTypeOf(flight).toEqualTypeOf<Flight>()
            expectTypeOf(context.state.total.get()).toEqualTypeOf<number | undefined>()
            expectTypeOf(context.state.seen.entries()).toEqualTypeOf<[string, { at: number }][]>()
            context.emit({ origin: context.key, delay: flight.delay })
            // @ts-expect-error delay is missing
            context.emit({ origin: context.key })
            // @ts-expect-error total is a number
            context.state.total.put('1')
            // @ts-expect-error no such state
            context.state.sum
            context.emitTo('raw', 1)
            context.emitTo('lines', 'text')
            // @ts-expect-error lines are text
            context.emitTo('lines', 1)
            // @ts-expect-error no such side output
            context.emitTo('other', 1)
            context.setTimer(context.time + 1000, { name: 'later' })
          },
          onTimer(context, timer) {
            expectTypeOf(timer.at).toEqualTypeOf<number>()
            context.emit({ origin: context.key, delay: 0 })
          },
        })
        expectTypeOf(results.map((alert) => alert)).toEqualTypeOf<KeyedStream<string, Alert>>()
        expectTypeOf(results.sideOutput('raw')).toEqualTypeOf<KeyedStream<string, number>>()
        // @ts-expect-error a topic is not a stream
        results.sideOutput('lines')
        keyed.process('silent', {
          onRecord(context) {
            // @ts-expect-error nothing was said of an output
            context.emit(1)
          },
        })
        // @ts-expect-error async
        keyed.process('wrong', { async onRecord() {} })
        // @ts-expect-error a process needs a key
        job.from(flights).process('wrong', { onRecord() {} })
        // @ts-expect-error no name
        keyed.process({ onRecord() {} })
      }),
    )
  })

  test('a table has rows by key, and changes that may be deletions', () => {
    compiled(() =>
      defineJob('table', (job) => {
        const latest = job.table('latest', delays)
        expectTypeOf(latest.toStream().map((row) => row?.worst)).toEqualTypeOf<KeyedStream<string, number | undefined>>()
        // @ts-expect-error a stream is not a table
        job.table('wrong', flights)
        const byDelay = job.from(flights).keyBy('by-delay', (flight) => flight.delay)
        expectTypeOf(byDelay.map((flight) => (flight.delay > 0 ? flight : null)).table('last')).toEqualTypeOf<Table<number, Flight>>()
        // @ts-expect-error a table needs a key
        job.from(flights).table('wrong')
      }),
    )
  })
})
