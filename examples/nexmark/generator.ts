import { Draws } from '../draws.ts'

export interface Person {
  readonly kind: 'person'
  readonly id: number
  readonly name: string
  readonly emailAddress: string
  readonly creditCard: string
  readonly city: string
  readonly state: string
  readonly dateTime: number
  readonly extra: string
}

export interface Auction {
  readonly kind: 'auction'
  readonly id: number
  readonly itemName: string
  readonly description: string
  readonly initialBid: number
  readonly reserve: number
  readonly dateTime: number
  readonly expires: number
  readonly seller: number
  readonly category: number
  readonly extra: string
}

export interface Bid {
  readonly kind: 'bid'
  readonly auction: number
  readonly bidder: number
  readonly price: number
  readonly channel: string
  readonly url: string
  readonly dateTime: number
  readonly extra: string
}

export type NexmarkEvent = Person | Auction | Bid

export interface NexmarkOptions {
  readonly seed?: number
  /** Event time of event 0, epoch ms. */
  readonly baseTime?: number
  /** Events for each second of event time. */
  readonly eventsPerSecond?: number
}

/** Of 50 events in a row the first is a person, three are auctions, 46 are bids. */
export const eventsPerEpoch = 50
export const auctionsPerEpoch = 3
export const bidsPerEpoch = 46

/** What a bid is made of, before it is put into words. */
export interface BidParts {
  auction: number
  bidder: number
  price: number
  /** 0 to 3: a big one; from 4 on: one of 10,000 small ones. */
  channel: number
  /** Small channels leave their id out of the url once in ten. */
  tracked: boolean
  dateTime: number
}

const firstId = 1000
const hotChannels = ['Google', 'Facebook', 'Baidu', 'Apple'] as const
const cities = ['Phoenix AZ', 'Oakland CA', 'Fresno CA', 'Boise ID', 'Salem OR', 'Bend OR', 'Tacoma WA', 'Kent WA', 'Cody WY'] as const
const givenNames = ['Ada', 'Ben', 'Cleo', 'Dan', 'Eva', 'Finn', 'Gina', 'Hugo', 'Ida', 'Jon'] as const
const familyNames = ['Abel', 'Brandt', 'Cole', 'Dietz', 'Egan', 'Fox', 'Gray', 'Hale'] as const
export const itemUrl = 'https://nexmark.example/i/item.htm?query=1'

/**
 * The auction site of the Nexmark benchmark: people, what they sell, what others bid for it. Event `n` is a function of the options and n
 * alone (see Draws). Event time rises with n. Half of the bids go to one hot auction of each hundred, three in four come from one hot bidder.
 */
export class Nexmark {
  private readonly draws: Draws
  private readonly baseTime: number
  private readonly eventsPerSecond: number
  private readonly parts: BidParts = { auction: 0, bidder: 0, price: 0, channel: 0, tracked: false, dateTime: 0 }

  constructor({ seed = 1, baseTime = Date.UTC(2024, 0, 1), eventsPerSecond = 10_000 }: NexmarkOptions = {}) {
    this.draws = new Draws(seed)
    this.baseTime = baseTime
    this.eventsPerSecond = eventsPerSecond
  }

  timeOf(n: number): number {
    return this.baseTime + Math.floor((n * 1000) / this.eventsPerSecond)
  }

  event(n: number): NexmarkEvent {
    const place = n % eventsPerEpoch
    if (place === 0) return this.person(n)
    return place <= auctionsPerEpoch ? this.auction(n) : toBid(this.bidParts(n))
  }

  /** Bid number i, counting bids only. */
  bid(i: number): Bid {
    return toBid(this.bidParts(bidEvent(i)))
  }

  /** The parts of bid event n, in an object that the next call overwrites. */
  bidParts(n: number): BidParts {
    const { draws, parts } = this
    draws.begin(n)
    const newest = newestAuction(n)
    if (draws.once(2)) {
      parts.auction = firstId + newest - (newest % 100)
    } else {
      const oldest = Math.max(newest - 100, 0)
      // Ten ids ahead: bids may come before their auction is known.
      parts.auction = firstId + oldest + draws.below(newest - oldest + 11)
    }
    const person = newestPerson(n)
    parts.bidder = firstId + (draws.below(4) > 0 ? person - (person % 100) + 1 : this.activePerson(person))
    parts.price = this.price()
    parts.channel = draws.once(2) ? draws.below(4) : 4 + draws.below(10_000)
    parts.tracked = parts.channel < 4 || !draws.once(10)
    parts.dateTime = this.timeOf(n)
    return parts
  }

  private person(n: number): Person {
    const { draws } = this
    draws.begin(n)
    const [city = '', state = ''] = pick(draws, cities).split(' ')
    return {
      kind: 'person',
      id: firstId + newestPerson(n),
      name: `${pick(draws, givenNames)} ${pick(draws, familyNames)}`,
      emailAddress: `${draws.letters(7)}@${draws.letters(5)}.example`,
      creditCard: Array.from({ length: 4 }, () => 1000 + draws.below(9000)).join(' '),
      city,
      state,
      dateTime: this.timeOf(n),
      extra: draws.letters(20 + draws.below(21)),
    }
  }

  private auction(n: number): Auction {
    const { draws } = this
    draws.begin(n)
    const person = newestPerson(n)
    const initialBid = this.price()
    const dateTime = this.timeOf(n)
    return {
      kind: 'auction',
      id: firstId + newestAuction(n),
      itemName: draws.letters(20),
      description: draws.letters(100),
      initialBid,
      reserve: initialBid + this.price(),
      dateTime,
      expires: dateTime + 1 + draws.below(Math.ceil((100 * eventsPerEpoch * 1000) / auctionsPerEpoch / this.eventsPerSecond) * 2),
      seller: firstId + (draws.below(4) > 0 ? person - (person % 100) : this.activePerson(person)),
      category: 10 + draws.below(5),
      extra: draws.letters(180 + draws.below(91)),
    }
  }

  /** One of the newest thousand, or of ten that are still to come. */
  private activePerson(newest: number): number {
    const active = Math.min(newest + 1, 1000)
    return newest + 1 - active + this.draws.below(active + 10)
  }

  /** Cents, spread over six decades: each decade is as likely as the others. */
  private price(): number {
    const decade = 10 ** (2 + this.draws.below(6))
    return decade + this.draws.below(9 * decade)
  }
}

/** The event id of bid number i. */
export function bidEvent(i: number): number {
  return Math.floor(i / bidsPerEpoch) * eventsPerEpoch + 1 + auctionsPerEpoch + (i % bidsPerEpoch)
}

export function channelName(channel: number): string {
  return hotChannels[channel] ?? `channel-${channel - 4}`
}

function toBid({ auction, bidder, price, channel, tracked, dateTime }: BidParts): Bid {
  const url = tracked ? `${itemUrl}&channel_id=${channel}` : itemUrl
  return { kind: 'bid', auction, bidder, price, channel: channelName(channel), url, dateTime, extra: '' }
}

/** Index of the newest person once event n has happened. */
function newestPerson(n: number): number {
  return Math.floor(n / eventsPerEpoch)
}

/** Index of the newest auction once event n has happened; 0 before there is any. */
function newestAuction(n: number): number {
  const inEpoch = Math.min(n % eventsPerEpoch, auctionsPerEpoch)
  return Math.max(Math.floor(n / eventsPerEpoch) * auctionsPerEpoch + inEpoch - 1, 0)
}

function pick<T>(draws: Draws, from: readonly T[]): T {
  return from[draws.below(from.length)]!
}
