import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BidWriter, bidBytesMax, partitionOf } from '../../../examples/nexmark/bid-writer.ts'
import { type Bid, bidEvent, eventsPerEpoch, Nexmark, type NexmarkEvent } from '../../../examples/nexmark/generator.ts'

const anySeed = fc.integer({ min: 0, max: 2 ** 31 - 1 })

describe('Nexmark events', () => {
  test('an event made alone equals the one made in a row', () => {
    fc.assert(
      fc.property(anySeed, fc.nat({ max: 100_000 }), fc.integer({ min: 1, max: 60 }), (seed, first, count) => {
        const row = new Nexmark({ seed })
        const events = Array.from({ length: count }, (_, i) => row.event(first + i))
        for (let i = count - 1; i >= 0; i--) expect(new Nexmark({ seed }).event(first + i)).toEqual(events[i])
      }),
    )
  })

  test('the data of a seed never change', () => {
    const nexmark = new Nexmark({ seed: 42 })
    const hash = createHash('sha256')
    for (let n = 0; n < 5_000; n++) hash.update(JSON.stringify(nexmark.event(n)))
    for (let n = 2 ** 33; n < 2 ** 33 + 500; n++) hash.update(JSON.stringify(nexmark.event(n)))
    expect(hash.digest('hex').slice(0, 16)).toBe('43bb4466b2e5b170')
  })

  test('another seed gives other events, another number another event', () => {
    const bids = (seed: number, from: number) =>
      Array.from({ length: 50 }, (_, i) => JSON.stringify({ ...new Nexmark({ seed }).bid(from + i), dateTime: 0 }))
    expect(new Set([...bids(1, 0), ...bids(2, 0), ...bids(1, 2 ** 32)]).size).toBe(150)
  })

  test('of fifty events one is a person, three are auctions, 46 are bids, and 10,000 take a second', () => {
    const nexmark = new Nexmark({ baseTime: 5_000 })
    const events = Array.from({ length: 10_000 }, (_, n) => nexmark.event(n))
    const count = (kind: NexmarkEvent['kind']) => events.filter((event) => event.kind === kind).length
    expect([count('person'), count('auction'), count('bid')]).toEqual([200, 600, 9_200])
    expect(events[0]!.dateTime).toBe(5_000)
    expect(events.at(-1)!.dateTime).toBe(5_999)
    expect(nexmark.event(10_000).dateTime).toBe(6_000)
  })

  test('ids rise by one for each person and auction, and bids name those around the newest', () => {
    const nexmark = new Nexmark()
    const ids = { person: 999, auction: 999 }
    for (let n = 0; n < 20_000; n++) {
      const event = nexmark.event(n)
      if (event.kind === 'bid') {
        expect(event.auction).toBeGreaterThanOrEqual(ids.auction - 100)
        expect(event.auction).toBeLessThanOrEqual(ids.auction + 10)
        expect(event.bidder).toBeLessThanOrEqual(ids.person + 10)
      } else {
        expect(event.id).toBe(++ids[event.kind])
      }
    }
  })

  test('half of the bids go to a hot auction, three in four come from a hot bidder, prices spread over six decades', () => {
    const nexmark = new Nexmark({ seed: 3 })
    const bids = Array.from({ length: 20_000 }, (_, i) => nexmark.bid(100_000 + i))
    const share = (test: (bid: Bid) => boolean) => bids.filter(test).length / bids.length
    expect(share((bid) => bid.auction % 100 === 0)).toBeCloseTo(0.505, 1)
    expect(share((bid) => bid.bidder % 100 === 1)).toBeCloseTo(0.75, 1)
    for (let decade = 100; decade < 10 ** 8; decade *= 10) {
      expect(share((bid) => bid.price >= decade && bid.price < decade * 10)).toBeCloseTo(1 / 6, 1)
    }
    expect(share((bid) => bid.price < 100 || bid.price >= 10 ** 8)).toBe(0)
  })

  test('bids are numbered through without the other events', () => {
    const nexmark = new Nexmark({ seed: 9 })
    const bids = Array.from({ length: 4 * eventsPerEpoch }, (_, n) => nexmark.event(n)).filter((event) => event.kind === 'bid')
    expect(bids).toEqual(bids.map((_, i) => nexmark.bid(i)))
    expect(bidEvent(46)).toBe(eventsPerEpoch + 4)
  })
})

describe('bid writer', () => {
  test('writes the bytes of JSON.stringify and tells auction and event time', () => {
    fc.assert(
      fc.property(anySeed, fc.nat({ max: 2 ** 40 }), fc.nat({ max: 40 }), (seed, i, at) => {
        const out = Buffer.alloc(at + bidBytesMax)
        const writer = new BidWriter({ seed })
        writer.begin(i)
        const end = writer.write(out, at)
        const { kind: _, ...bid } = new Nexmark({ seed }).bid(i)
        expect(out.latin1Slice(at, end)).toBe(JSON.stringify(bid))
        expect([writer.auction, writer.bidder, writer.eventTime]).toEqual([bid.auction, bid.bidder, bid.dateTime])
        expect(out.subarray(0, at).every((byte) => byte === 0)).toBe(true)
      }),
    )
  })

  test('bids are about 169 bytes long', () => {
    const writer = new BidWriter()
    const out = Buffer.alloc(bidBytesMax)
    let bytes = 0
    for (let i = 0; i < 100_000; i++) {
      writer.begin(i * 36)
      bytes += writer.write(out, 0)
    }
    expect(bytes / 100_000).toBeGreaterThan(166)
    expect(bytes / 100_000).toBeLessThan(172)
  })

  test('bids spread evenly over partitions, all of an auction in one', () => {
    const writer = new BidWriter()
    const counts = [0, 0, 0, 0]
    for (let i = 0; i < 100_000; i++) {
      writer.begin(i)
      const partition = writer.partition(4)
      expect(partition).toBe(partitionOf(writer.auction, 4))
      counts[partition]!++
    }
    for (const count of counts) expect(count / 25_000).toBeCloseTo(1, 0)
  })
})
