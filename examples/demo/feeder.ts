import { setTimeout as sleep } from 'node:timers/promises'
import { type Flight, toNdjson } from '../airport-delays/convert.ts'
import type { Server } from './server.ts'

const batch = 200

/**
 * Sends flights as a source would that outlives its server: each batch with the number of its first record, again and again until it is
 * acknowledged. What was taken in before a crash is not taken twice.
 */
export class Feeder {
  sent = 0
  private readonly server: Server
  private readonly flights: readonly Flight[]

  constructor(server: Server, flights: readonly Flight[]) {
    this.server = server
    this.flights = flights
  }

  /** @param perSecond undefined: as fast as it goes. */
  async sendTo(end: number, perSecond?: number): Promise<void> {
    while (this.sent < end) {
      const flights = this.flights.slice(this.sent, Math.min(this.sent + batch, end))
      await this.send(flights)
      this.sent += flights.length
      if (perSecond !== undefined) await sleep((flights.length / perSecond) * 1000)
    }
  }

  private async send(flights: readonly Flight[]): Promise<void> {
    const path = `/api/v1/topics/flights/records?key=origin&time=scheduledAt&producer=feed&sequence=${this.sent}&partitions=2`
    for (;;) {
      try {
        await this.server.call(path, toNdjson(flights), 'application/x-ndjson')
        return
      } catch {
        // The server is dead, and will be back.
        await sleep(50)
      }
    }
  }
}
