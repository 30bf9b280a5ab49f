import { expect, expectTypeOf, test } from 'vitest'
import { type Aggregators, aggregator, reduce } from '../../../operators/aggregates/aggregator.ts'
import { avg } from '../../../operators/aggregates/avg.ts'
import { count } from '../../../operators/aggregates/count.ts'
import { max, min } from '../../../operators/aggregates/extremes.ts'
import { sum } from '../../../operators/aggregates/sum.ts'

interface Flight {
  readonly origin: string
  readonly delay: number
}

/** As a stream of flights has it: the record type comes from the stream, the row type from the aggregators. */
declare function aggregate<Row>(aggregators: Aggregators<Flight, Row>): Row

/** Checked by the compiler; the functions are not called. */
const compiled = (job: () => void) => expect(job).toBeTypeOf('function')

test('the record type flows into the functions, their results into the row', () => {
  compiled(() => {
    const row = aggregate({
      flights: count(),
      total: sum((flight) => flight.delay),
      mean: avg((flight) => flight.delay),
      least: min((flight) => flight.delay),
      last: max((flight) => flight.origin),
      origins: reduce({
        init: (): string[] => [],
        add: (origins: string[], flight: Flight) => [...origins, flight.origin],
        merge: (origins: string[], others: string[]) => [...origins, ...others],
      }),
      late: aggregator({
        init: () => 0,
        add: (late: number, flight: Flight) => late + (flight.delay > 0 ? 1 : 0),
        merge: (late: number, other: number) => late + other,
        result: (late: number) => late > 0,
      }),
    })
    expectTypeOf(row).toEqualTypeOf<{
      flights: number
      total: number
      mean: number
      least: number
      last: string
      origins: string[]
      late: boolean
    }>()
  })
})

test('wrong fields and wrong types do not compile', () => {
  compiled(() => {
    // @ts-expect-error there is no such field
    aggregate({ mean: avg((flight) => flight.dealy) })
    // @ts-expect-error a sum is of numbers
    aggregate({ total: sum((flight) => flight.origin) })
    // @ts-expect-error a promise is no number
    aggregate({ mean: avg(async (flight) => flight.delay) })
    // @ts-expect-error an extreme is of numbers or strings
    aggregate({ least: min((flight) => flight) })
    // @ts-expect-error an aggregator of other records
    aggregate({ total: sum((order: { amount: number }) => order.amount) })
    // @ts-expect-error the row has no such field
    aggregate({ flights: count() }).means
  })
})
