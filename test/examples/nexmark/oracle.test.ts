import { describe, expect, test } from 'vitest'
import { partitionOf } from '../../../examples/nexmark/bid-writer.ts'
import { Nexmark } from '../../../examples/nexmark/generator.ts'
import { type BidInput, oracle, q12 } from '../../../examples/nexmark/oracle.ts'
import { canonical } from '../../../examples/reference.ts'

const nexmark = new Nexmark({ seed: 7 })
const inOrder = Array.from({ length: 12_000 }, (_, i) => nexmark.bid(i * 40))
const bid = (auction: number, bidder: number, price: number, dateTime: number): BidInput => ({
  auction,
  bidder,
  price,
  dateTime,
  extra: '',
})

describe('Nexmark oracle', () => {
  test('results of bids in order do not depend on how they are partitioned', () => {
    const four = [0, 1, 2, 3].map((partition) => inOrder.filter(({ auction }) => partitionOf(auction, 4) === partition))
    for (const query of Object.values(oracle)) {
      expect(query(four).late).toEqual([])
      expect(canonical(query(four).rows)).toEqual(canonical(query([inOrder]).rows))
    }
  })

  test('every bid is counted once for each overlap', () => {
    const sum = (rows: readonly Readonly<Record<string, number | string>>[]) => rows.reduce((total, row) => total + Number(row.bids), 0)
    expect(sum(oracle.q5([inOrder]).rows)).toBe(5 * inOrder.length)
    expect(sum(oracle['q5-60-1']([inOrder]).rows)).toBe(60 * inOrder.length)
    expect(sum(oracle.q11([inOrder]).rows)).toBe(inOrder.length)
    expect(sum(oracle['q12-event-time']([inOrder]).rows)).toBe(inOrder.length)
  })

  test('rows have the form the jobs write', () => {
    const bids = [[bid(123, 5, 100, 1_000), bid(124, 5, 300, 2_000), bid(124, 6, 200, 12_000)]]
    expect(oracle.q0(bids).rows[0]).toEqual({ auction: 123, bidder: 5, price: 100, dateTime: 1_000, extra: '' })
    expect(oracle.q1(bids).rows[0]).toEqual({ auction: 123, bidder: 5, price: 90.8, dateTime: 1_000, extra: '' })
    expect(oracle.q2(bids).rows).toEqual([{ auction: 123, price: 100 }])
    expect(oracle.q7(bids).rows).toEqual([
      { start: 0, end: 10_000, price: 300 },
      { start: 10_000, end: 20_000, price: 200 },
    ])
    expect(oracle.q11(bids).rows).toEqual([
      { bidder: 5, start: 1_000, end: 12_000, bids: 2 },
      { bidder: 6, start: 12_000, end: 22_000, bids: 1 },
    ])
    expect(oracle['q12-event-time'](bids).rows[0]).toEqual({ bidder: 5, start: 0, end: 10_000, bids: 2 })
    expect(oracle.q5(bids).rows).toContainEqual({ auction: 124, start: 4_000, end: 14_000, bids: 1 })
    expect(
      q12([
        { bidder: 5, appendTime: 9_999 },
        { bidder: 5, appendTime: 10_000 },
        { bidder: 5, appendTime: 9_000 },
      ]),
    ).toEqual([
      { bidder: 5, start: 0, end: 10_000, bids: 2 },
      { bidder: 5, start: 10_000, end: 20_000, bids: 1 },
    ])
  })

  test('late bids are told apart', () => {
    const bids = [[bid(1, 1, 1, 25_000), bid(1, 1, 1, 9_000)]]
    expect(oracle.q5(bids).late).toEqual([bids[0]![1]])
    expect(oracle.q5(bids, { outOfOrdernessMs: 7_000 }).late).toHaveLength(1)
    expect(oracle.q5(bids, { outOfOrdernessMs: 7_001 }).late).toEqual([])
    expect(oracle.q11(bids, { allowedLatenessMs: 15_999 }).late).toHaveLength(1)
    expect(oracle.q11(bids, { allowedLatenessMs: 16_000 }).late).toHaveLength(0)
  })
})
