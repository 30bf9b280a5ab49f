import { describe, expect, test } from 'vitest'
import { readVegaFlights, shuffle, toFlight, toNdjson } from '../../../examples/airport-delays/convert.ts'
import { airportDelays } from '../../../examples/airport-delays/oracle.ts'
import { airportTraffic } from '../../../examples/airport-traffic/oracle.ts'

const source = readVegaFlights()
const flights = source.map(toFlight)

describe('flight data', () => {
  test('dates become epoch milliseconds in UTC and keep their order', () => {
    expect(flights).toHaveLength(20_000)
    expect(toFlight({ date: '2001/01/14 21:55', delay: 3, distance: 5, origin: 'A', destination: 'B' })).toEqual({
      origin: 'A',
      destination: 'B',
      delay: 3,
      distance: 5,
      scheduledAt: Date.parse('2001-01-14T21:55:00Z'),
    })
    for (let i = 1; i < flights.length; i++) expect(flights[i]!.scheduledAt).toBeGreaterThanOrEqual(flights[i - 1]!.scheduledAt)
  })

  test('a date of another form is refused', () => {
    expect(() => toFlight({ ...source[0]!, date: '2001-01-14 21:55' })).toThrow('2001-01-14 21:55')
  })

  test('shuffling moves most flights, each by less than an hour, and follows from the seed', () => {
    const shuffled = shuffle(flights)
    let highest = 0
    let behind = 0
    for (const { scheduledAt } of shuffled) {
      expect(scheduledAt).toBeGreaterThan(highest - 3_600_000)
      if (scheduledAt < highest) behind++
      highest = Math.max(highest, scheduledAt)
    }
    expect(behind).toBeGreaterThan(10_000)
    expect(new Set(shuffled)).toEqual(new Set(flights))
    expect(shuffle(flights)).toEqual(shuffled)
    expect(shuffle(flights, { seed: 2 })).not.toEqual(shuffled)
  })

  test('each flight is one line of JSON', () => {
    const lines = toNdjson(flights.slice(0, 3)).split('\n')
    expect(lines.slice(0, 3).map((line) => JSON.parse(line))).toEqual(flights.slice(0, 3))
    expect(lines[3]).toBe('')
  })
})

describe('flight oracles', () => {
  const shuffled = [shuffle(flights)]

  test('an hour of out-of-orderness leaves nothing late and the days as they are in order', () => {
    const { rows, late } = airportDelays(shuffled)
    expect(late).toEqual([])
    expect(rows).toEqual(airportDelays([flights]).rows)
    expect(rows.reduce((sum, row) => sum + row.flights, 0)).toBe(20_000)
    expect(airportDelays(shuffled, { outOfOrdernessMs: 0 }).late.length).toBeGreaterThan(0)
  })

  test('fifty minutes make some flights late for the waves, but for no whole six hours', () => {
    const { traffic, waves, late } = airportTraffic(shuffled)
    expect(late.traffic).toEqual([])
    expect(late.waves.length).toBeGreaterThan(50)
    expect(waves.reduce((sum, wave) => sum + wave.departures, 0)).toBe(20_000 - late.waves.length)
    expect(traffic.reduce((sum, row) => sum + row.departures, 0)).toBeLessThanOrEqual(6 * 20_000)
  })
})
