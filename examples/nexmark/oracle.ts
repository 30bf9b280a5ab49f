import { type Fold, type Judged, judge, sessionWindows, slidingWindows, type WindowResult } from '../reference.ts'

/** What the queries read of a bid. */
export interface BidInput {
  readonly auction: number
  readonly bidder: number
  readonly price: number
  readonly dateTime: number
  readonly extra: string
}

/** Lateness as the job under test is set; the Nexmark jobs here use 0 for both. */
export interface Lateness {
  readonly outOfOrdernessMs?: number
  readonly allowedLatenessMs?: number
}

/** The bids of each partition, in offset order. */
export type Bids = readonly (readonly BidInput[])[]

type Row = Readonly<Record<string, number | string>>
type Query = (bids: Bids, lateness?: Lateness) => { readonly rows: readonly Row[]; readonly late: readonly BidInput[] }

/** The rows each query must give, in no particular order. Input is taken to be complete: every window that has a record gives its row. */
export const oracle: Readonly<Record<'q0' | 'q1' | 'q2' | 'q5' | 'q5-60-1' | 'q7' | 'q11' | 'q12-event-time', Query>> = {
  q0: (bids) => stateless(bids, ({ auction, bidder, price, dateTime, extra }) => ({ auction, bidder, price, dateTime, extra })),
  q1: (bids) =>
    stateless(bids, ({ auction, bidder, price, dateTime, extra }) => ({ auction, bidder, price: price * 0.908, dateTime, extra })),
  q2: (bids) => stateless(bids, ({ auction, price }) => (auction % 123 === 0 ? { auction, price } : undefined)),
  q5: (bids, lateness) => windowed(bids, lateness, { sizeMs: 10_000, slideMs: 2_000 }, countOf('auction'), countRow('auction')),
  'q5-60-1': (bids, lateness) => windowed(bids, lateness, { sizeMs: 60_000, slideMs: 1_000 }, countOf('auction'), countRow('auction')),
  q7: (bids, lateness) =>
    windowed(bids, lateness, { sizeMs: 10_000, slideMs: 10_000 }, highestPrice, ({ start, end, result }) => ({
      start,
      end,
      price: result,
    })),
  q11: (bids, { outOfOrdernessMs = 0, allowedLatenessMs = 0 } = {}) => {
    const judged = judge(bids, (bid) => bid.dateTime, outOfOrdernessMs)
    const { windows, late } = sessionWindows(judged, { gapMs: 10_000, allowedLatenessMs }, countOf('bidder'))
    return { rows: windows.map(countRow('bidder')), late }
  },
  'q12-event-time': (bids, lateness) =>
    windowed(bids, lateness, { sizeMs: 10_000, slideMs: 10_000 }, countOf('bidder'), countRow('bidder')),
}

/** q12 goes by the time the log took each bid. Nothing is late: append times never fall within a partition. */
export function q12(bids: readonly { readonly bidder: number; readonly appendTime: number }[]): readonly Row[] {
  const judged: Judged<{ bidder: number }>[] = bids.map((bid) => ({
    value: bid,
    eventTime: bid.appendTime,
    stamp: Number.NEGATIVE_INFINITY,
  }))
  return slidingWindows(judged, { sizeMs: 10_000, slideMs: 10_000 }, countOf('bidder')).windows.map(countRow('bidder'))
}

function stateless(bids: Bids, row: (bid: BidInput) => Row | undefined): ReturnType<Query> {
  return {
    rows: bids.flat().flatMap((bid): Row[] => {
      const made = row(bid)
      return made === undefined ? [] : [made]
    }),
    late: [],
  }
}

function windowed<A>(
  bids: Bids,
  { outOfOrdernessMs = 0, allowedLatenessMs = 0 }: Lateness = {},
  window: { sizeMs: number; slideMs: number },
  fold: Fold<BidInput, A>,
  row: (window: WindowResult<A>) => Row,
): ReturnType<Query> {
  const { windows, late } = slidingWindows(
    judge(bids, (bid) => bid.dateTime, outOfOrdernessMs),
    { ...window, allowedLatenessMs },
    fold,
  )
  return { rows: windows.map(row), late }
}

function countOf<K extends 'auction' | 'bidder'>(field: K): Fold<Record<K, number>, number> {
  return { key: (bid) => bid[field], begin: () => 0, add: (count) => count + 1 }
}

const highestPrice: Fold<BidInput, number> = {
  key: () => 0,
  begin: () => Number.NEGATIVE_INFINITY,
  add: (highest, bid) => Math.max(highest, bid.price),
}

function countRow(field: string): (window: WindowResult<number>) => Row {
  return ({ key, start, end, result }) => ({ [field]: key, start, end, bids: result })
}
