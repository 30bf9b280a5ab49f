import { describe, expect, test } from 'vitest'
import { TestKit } from '../../../deploy/testing/test-kit.ts'
import type { Topology } from '../../../engine/model/topology.ts'
import { partitionOf } from '../../../examples/nexmark/bid-writer.ts'
import { type Bid, Nexmark } from '../../../examples/nexmark/generator.ts'
import { oracle, q12 } from '../../../examples/nexmark/oracle.ts'
import q0, { results as q0Results } from '../../../examples/nexmark/q0.ts'
import q1, { results as q1Results } from '../../../examples/nexmark/q1.ts'
import q2, { results as q2Results } from '../../../examples/nexmark/q2.ts'
import q5, { results as q5Results } from '../../../examples/nexmark/q5.ts'
import q5Minute, { results as q5MinuteResults } from '../../../examples/nexmark/q5-60-1.ts'
import q7, { results as q7Results } from '../../../examples/nexmark/q7.ts'
import q11, { results as q11Results } from '../../../examples/nexmark/q11.ts'
import q12ProcessingTime, { results as q12Results } from '../../../examples/nexmark/q12.ts'
import q12EventTime, { results as q12EventTimeResults } from '../../../examples/nexmark/q12-event-time.ts'
import { canonical } from '../../../examples/reference.ts'
import type { Topic } from '../../../index.ts'
import { Random } from '../../support/random.ts'

const partitions = 4
const seed = 11

/** 1,500 bids over three minutes, some of them moved back in time: by a little (out of order), or by up to two minutes (late). */
const bids = disordered(Array.from({ length: 1_500 }, (_, i) => new Nexmark({ seed }).bid(i * 1_100)))
const byPartition = Array.from({ length: partitions }, (_, p) => bids.filter((bid) => partitionOf(bid.auction, partitions) === p))

const queries: readonly { name: keyof typeof oracle; job: Topology; results: Topic<unknown, never> }[] = [
  { name: 'q0', job: q0, results: q0Results },
  { name: 'q1', job: q1, results: q1Results },
  { name: 'q2', job: q2, results: q2Results },
  { name: 'q5', job: q5, results: q5Results },
  { name: 'q5-60-1', job: q5Minute, results: q5MinuteResults },
  { name: 'q7', job: q7, results: q7Results },
  { name: 'q11', job: q11, results: q11Results },
  { name: 'q12-event-time', job: q12EventTime, results: q12EventTimeResults },
]

describe('Nexmark queries give what the oracle says', () => {
  for (const { name, job, results } of queries) {
    for (const parallelism of [1, 3]) {
      test(`${name}, parallelism ${parallelism}, with late bids and crashes`, async () => {
        const expected = oracle[name](byPartition)
        await using kit = await TestKit.start(job, {
          partitions: { bids: partitions },
          parallelism,
          settings: { sliceRecordsMax: 64 },
        })
        for (let from = 0; from < bids.length; from += 500) {
          await kit.sendRaw(bids.slice(from, from + 500).map(rawBid))
          if (from > 0) await kit.crash()
          await kit.settle()
        }
        await kit.complete()
        const output = await kit.output(results)
        expect(canonical(output.map(({ value }) => value))).toEqual(canonical(expected.rows))
        expect(await kit.late()).toHaveLength(expected.late.length)
      })
    }
  }

  test('q12 counts by the time the log took the bids', async () => {
    await using kit = await TestKit.start(q12ProcessingTime, { partitions: { bids: partitions } })
    for (let from = 0; from < bids.length; from += 100) {
      await kit.sendRaw(bids.slice(from, from + 100).map(rawBid))
      await kit.advanceTime(1_700, 1_700)
    }
    const taken = (await kit.raw('bids')).map(({ value, appendTime }) => ({
      bidder: (JSON.parse(String(value)) as Bid).bidder,
      appendTime,
    }))
    await kit.complete()
    const output = await kit.output(q12Results)
    expect(canonical(output.map(({ value }) => value))).toEqual(canonical(q12(taken)))
    expect(new Set(output.map(({ value }) => value?.start)).size).toBeGreaterThan(2)
  })

  test('the data have late bids for every kind of window', () => {
    for (const name of ['q5', 'q5-60-1', 'q11', 'q12-event-time'] as const) expect(oracle[name](byPartition).late.length).toBeGreaterThan(5)
  })
})

function disordered(inOrder: readonly Bid[]): Bid[] {
  const random = new Random(seed)
  return inOrder.map((bid) => {
    const back = random.chance(0.1) ? random.int(120_000) : random.chance(0.5) ? random.int(3_000) : 0
    return { ...bid, dateTime: bid.dateTime - back }
  })
}

function rawBid({ kind: _, ...bid }: Bid) {
  return {
    topic: 'bids',
    value: JSON.stringify(bid),
    key: String(bid.auction),
    partition: partitionOf(bid.auction, partitions),
    eventTime: bid.dateTime,
  }
}
