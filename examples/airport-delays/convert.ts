import { readFileSync, writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Draws } from '../draws.ts'

/** A departure, as the jobs of this folder and of airport-traffic read it. */
export interface Flight {
  readonly origin: string
  readonly destination: string
  /** Minutes behind schedule; negative when early. */
  readonly delay: number
  /** Miles. */
  readonly distance: number
  /** Epoch ms; the clock times of the source are taken as UTC. */
  readonly scheduledAt: number
}

/** A record of vega's `flights-20k.json`; `date` is text such as `2001/01/14 21:55`. */
export interface VegaFlight {
  readonly date: string
  readonly delay: number
  readonly distance: number
  readonly origin: string
  readonly destination: string
}

/** 20,000 departures in the United States in the first quarter of 2001, in order of schedule. */
export function readVegaFlights(): VegaFlight[] {
  const entry = createRequire(import.meta.url).resolve('vega-datasets')
  return JSON.parse(readFileSync(join(dirname(entry), '..', 'data', 'flights-20k.json'), 'utf8'))
}

export function toFlight({ date, delay, distance, origin, destination }: VegaFlight): Flight {
  const parts = /^(\d{4})\/(\d\d)\/(\d\d) (\d\d):(\d\d)$/.exec(date)
  if (parts === null) throw new TypeError(`not a date such as "2001/01/14 21:55": ${JSON.stringify(date)}`)
  const [year, month, day, hour, minute] = parts.slice(1).map(Number) as [number, number, number, number, number]
  return { origin, destination, delay, distance, scheduledAt: Date.UTC(year, month - 1, day, hour, minute) }
}

/**
 * Puts flights in the order of their reports, each reported at a random time within `withinMs` of its schedule: no flight comes more than
 * that behind one of a later schedule. A function of the flights and the seed.
 */
export function shuffle(flights: readonly Flight[], { seed = 1, withinMs = 3_600_000 } = {}): Flight[] {
  const draws = new Draws(seed)
  const reported = flights.map((flight, i) => {
    draws.begin(i)
    return { flight, at: flight.scheduledAt + draws.below(withinMs) }
  })
  // Array.sort is stable: reports of one time keep their order.
  return reported.sort((a, b) => a.at - b.at).map(({ flight }) => flight)
}

export function toNdjson(flights: readonly Flight[]): string {
  return flights.map((flight) => `${JSON.stringify(flight)}\n`).join('')
}

// As a script: the shuffled flights to standard output. `node convert.ts [seed]`
if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const text = toNdjson(shuffle(readVegaFlights().map(toFlight), { seed: Number(process.argv[2] ?? 1) }))
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at)
}
