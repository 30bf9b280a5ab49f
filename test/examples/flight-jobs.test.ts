import { describe, expect, test } from 'vitest'
import { TestKit } from '../../deploy/testing/test-kit.ts'
import type { Topology } from '../../engine/model/topology.ts'
import { type Flight, readVegaFlights, shuffle, toFlight } from '../../examples/airport-delays/convert.ts'
import airportDelaysJob, { delays } from '../../examples/airport-delays/job.ts'
import { airportDelays } from '../../examples/airport-delays/oracle.ts'
import airportTrafficJob, { traffic, waves } from '../../examples/airport-traffic/job.ts'
import { airportTraffic } from '../../examples/airport-traffic/oracle.ts'
import { canonical } from '../../examples/reference.ts'

// The first ten days or so.
const flights = shuffle(readVegaFlights().slice(0, 2_000).map(toFlight))
const partitions = 3
const partitionOf = (flight: Flight) => flight.origin.charCodeAt(0) % partitions
const byPartition = Array.from({ length: partitions }, (_, p) => flights.filter((flight) => partitionOf(flight) === p))

describe('jobs on flight data give what the oracle says', () => {
  for (const parallelism of [1, 2]) {
    test(`airport-delays, parallelism ${parallelism}`, async () => {
      await using kit = await run(airportDelaysJob, parallelism)
      expect(canonical([...(await kit.table(delays)).values()])).toEqual(canonical(airportDelays(byPartition).rows))
    })

    test(`airport-traffic, parallelism ${parallelism}`, async () => {
      const expected = airportTraffic(byPartition)
      await using kit = await run(airportTrafficJob, parallelism)
      expect(canonical([...(await kit.table(traffic)).values()])).toEqual(canonical(expected.traffic))
      expect(canonical((await kit.output(waves)).map(({ value }) => value))).toEqual(canonical(expected.waves))
      expect(await kit.late()).toHaveLength(expected.late.traffic.length + expected.late.waves.length)
      expect(expected.late.waves.length).toBeGreaterThan(5)
    })
  }
})

async function run(job: Topology, parallelism: number): Promise<TestKit> {
  const kit = await TestKit.start(job, { partitions: { flights: partitions }, parallelism, settings: { sliceRecordsMax: 100 } })
  const raw = flights.map((flight) => ({
    topic: 'flights',
    value: JSON.stringify(flight),
    key: flight.origin,
    partition: partitionOf(flight),
    eventTime: flight.scheduledAt,
  }))
  await kit.sendRaw(raw.slice(0, 1_000))
  await kit.crash()
  await kit.sendRaw(raw.slice(1_000))
  await kit.complete()
  return kit
}
