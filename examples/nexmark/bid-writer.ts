import { scramble } from '../draws.ts'
import { type BidParts, bidEvent, channelName, itemUrl, Nexmark, type NexmarkOptions } from './generator.ts'

/** The longest bid in bytes, rounded up. */
export const bidBytesMax = 320

const beforeAuction = ascii('{"auction":')
const beforeBidder = ascii(',"bidder":')
const beforePrice = ascii(',"price":')
const beforeChannel = ascii(',"channel":"')
const beforeUrl = ascii(`","url":"${itemUrl}`)
const beforeChannelId = ascii('&channel_id=')
const beforeDateTime = ascii('","dateTime":')
const ending = ascii(',"extra":""}')
const bigChannels = [0, 1, 2, 3].map((channel) => ascii(channelName(channel)))
const smallChannel = ascii('channel-')

/** Writes bids as JSON straight into a buffer: the same bytes as JSON.stringify of `Nexmark.bid` without `kind`, several times faster. */
export class BidWriter {
  private readonly nexmark: Nexmark
  private parts: Readonly<BidParts>

  constructor(options: NexmarkOptions = {}) {
    this.nexmark = new Nexmark(options)
    this.parts = this.nexmark.bidParts(bidEvent(0))
  }

  /** Makes bid number i the one that the other members are about. */
  begin(i: number): void {
    this.parts = this.nexmark.bidParts(bidEvent(i))
  }

  get auction(): number {
    return this.parts.auction
  }

  get bidder(): number {
    return this.parts.bidder
  }

  get eventTime(): number {
    return this.parts.dateTime
  }

  /** All bids of an auction share a partition. */
  partition(partitions: number): number {
    return partitionOf(this.parts.auction, partitions)
  }

  /** Writes the bid at out[at]; `bidBytesMax` bytes must be free there. @returns the position behind it. */
  write(out: Uint8Array, at: number): number {
    const { auction, bidder, price, channel, tracked, dateTime } = this.parts
    let p = copy(beforeAuction, out, at)
    p = integer(auction, out, p)
    p = copy(beforeBidder, out, p)
    p = integer(bidder, out, p)
    p = copy(beforePrice, out, p)
    p = integer(price, out, p)
    p = copy(beforeChannel, out, p)
    p = channel < 4 ? copy(bigChannels[channel]!, out, p) : integer(channel - 4, out, copy(smallChannel, out, p))
    p = copy(beforeUrl, out, p)
    if (tracked) p = integer(channel, out, copy(beforeChannelId, out, p))
    p = copy(beforeDateTime, out, p)
    p = integer(dateTime, out, p)
    return copy(ending, out, p)
  }
}

/** Spreads auctions over partitions; the hot ones, which are all multiples of a hundred, too. */
export function partitionOf(auction: number, partitions: number): number {
  return (scramble(auction) >>> 0) % partitions
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0))
}

/** A loop: `set` costs more than these few bytes. */
function copy(from: Uint8Array, out: Uint8Array, at: number): number {
  for (let i = 0; i < from.length; i++) out[at + i] = from[i]!
  return at + from.length
}

/** Decimal digits of a whole number >= 0 in its double. */
export function integer(value: number, out: Uint8Array, at: number): number {
  if (value >= 1e9) {
    const high = Math.floor(value / 1e9)
    const p = integer(high, out, at)
    return digits(value - high * 1e9, 9, out, p)
  }
  let count = 1
  for (let bound = 10; value >= bound; bound *= 10) count++
  return digits(value, count, out, at)
}

function digits(value: number, count: number, out: Uint8Array, at: number): number {
  let rest = value | 0
  for (let i = at + count - 1; i >= at; i--) {
    const next = (rest / 10) | 0
    out[i] = 48 + rest - next * 10
    rest = next
  }
  return at + count
}
