import { describe, expect, test } from 'vitest'
import { TestKit } from '../../deploy/testing/test-kit.ts'
import type { Topology } from '../../engine/model/topology.ts'
import { partitionOf } from '../../examples/nexmark/bid-writer.ts'
import { type Bid, Nexmark } from '../../examples/nexmark/generator.ts'
import { type Bids, oracle } from '../../examples/nexmark/oracle.ts'
import q2, { results as q2Results } from '../../examples/nexmark/q2.ts'
import q5, { results as q5Results } from '../../examples/nexmark/q5.ts'
import q7, { results as q7Results } from '../../examples/nexmark/q7.ts'
import q11, { results as q11Results } from '../../examples/nexmark/q11.ts'
import { canonical } from '../../examples/reference.ts'
import type { Topic } from '../../index.ts'
import { Random } from '../support/random.ts'
import quietBidders, { expected as quietBiddersExpected, results as quietBiddersResults } from './quiet-bidders.ts'

interface Case {
  readonly name: string
  readonly job: Topology
  readonly results: Topic<unknown, never>
  readonly expected: (bids: Bids) => { readonly rows: readonly unknown[]; readonly late: number }
}

const byOracle = (query: keyof typeof oracle) => (bids: Bids) => {
  const { rows, late } = oracle[query](bids)
  return { rows, late: late.length }
}

const cases: readonly Case[] = [
  { name: 'q2', job: q2, results: q2Results, expected: byOracle('q2') },
  { name: 'q5', job: q5, results: q5Results, expected: byOracle('q5') },
  { name: 'q7', job: q7, results: q7Results, expected: byOracle('q7') },
  { name: 'q11', job: q11, results: q11Results, expected: byOracle('q11') },
  { name: 'process', job: quietBidders, results: quietBiddersResults, expected: quietBiddersExpected },
]

/** How fast input comes and is taken: all at once in large slices; in bursts; in bursts, taken a few records at a time, with a restart after each. */
const speeds = [
  { name: 'at once', burst: Number.POSITIVE_INFINITY, sliceRecordsMax: 16_384, restart: false },
  { name: 'in bursts', burst: 83, sliceRecordsMax: 64, restart: false },
  { name: 'in small bites with restarts', burst: 170, sliceRecordsMax: 9, restart: true },
] as const

/** Some bids are moved back in time: by a little or by up to a minute. So some are late, and which ones depends on the partitions. */
const inOrder = Array.from({ length: 500 }, (_, i) => new Nexmark({ seed: 5 }).bid(i * 1_700))
const disordered = (() => {
  const random = new Random(17)
  return inOrder.map((bid) => ({
    ...bid,
    dateTime: bid.dateTime - (random.chance(0.1) ? random.int(60_000) : random.chance(0.3) ? random.int(2_000) : 0),
  }))
})()

describe('results do not depend on speed, parallelism and restarts', () => {
  for (const { name, job, results, expected } of cases) {
    for (const partitions of [1, 2, 8]) {
      test(`${name} over ${partitions} partitions, with late bids`, async () => {
        const { rows, late } = expected(dealt(disordered, partitions))
        expect(rows.length).toBeGreaterThan(2)
        if (name !== 'q2') expect(late).toBeGreaterThan(0)
        for (const parallelism of [1, 3]) {
          for (const speed of speeds) {
            const found = await run(job, results, disordered, partitions, parallelism, speed)
            expect(found.rows, `parallelism ${parallelism}, ${speed.name}`).toEqual(canonical(rows))
            expect(found.late, `parallelism ${parallelism}, ${speed.name}`).toBe(late)
          }
        }
      })
    }
  }
})

describe('results do not depend on partitions when nothing is late', () => {
  for (const { name, job, results } of cases) {
    test(name, async () => {
      const [one, ...others] = await Promise.all(
        [1, 2, 8].map((partitions) => run(job, results, inOrder, partitions, partitions === 2 ? 3 : 1, speeds[1])),
      )
      expect(one!.late).toBe(0)
      for (const other of others) expect(other).toEqual(one)
    })
  }
})

async function run(
  job: Topology,
  results: Topic<unknown, never>,
  bids: readonly Bid[],
  partitions: number,
  parallelism: number,
  { burst, sliceRecordsMax, restart }: (typeof speeds)[number],
) {
  await using kit = await TestKit.start(job, { partitions: { bids: partitions }, parallelism, settings: { sliceRecordsMax } })
  for (let from = 0, n = 0; from < bids.length; from += burst, n++) {
    await kit.sendRaw(bids.slice(from, from + burst).map((bid) => rawBid(bid, partitions)))
    if (restart) await (n % 2 === 0 ? kit.crash() : kit.restart())
    await kit.settle()
    if (burst === Number.POSITIVE_INFINITY) break
  }
  await kit.complete()
  const rows = canonical((await kit.output(results)).map(({ value }) => value))
  return { rows, late: (await kit.late()).length }
}

function dealt(bids: readonly Bid[], partitions: number): Bid[][] {
  return Array.from({ length: partitions }, (_, p) => bids.filter((bid) => partitionOf(bid.auction, partitions) === p))
}

function rawBid({ kind: _, ...bid }: Bid, partitions: number) {
  return {
    topic: 'bids',
    value: JSON.stringify(bid),
    key: String(bid.auction),
    partition: partitionOf(bid.auction, partitions),
    eventTime: bid.dateTime,
  }
}
