import { expect, test } from 'vitest'
import { Coverage } from './coverage.ts'
import { runInProcesses } from './seed-processes.ts'
import { againWith, simulate } from './world.ts'

/**
 * Laws over simulated runs, on the memory log and on the embedded log over a disk that forgets. SIM_SEED: this one alone. SIM_SEEDS: how many
 * (default 60, all 20,000 in the full run; from 500 on in several processes). SIM_FROM: the first (default 1).
 * Every run asserts L1 - L5, L8, L11, L12 and conservation; some are run twice (L9).
 */
const one = process.env.SIM_SEED === undefined ? undefined : Number(process.env.SIM_SEED)
const from = one ?? Number(process.env.SIM_FROM ?? 1)
const byDefault = process.env.REPRISE_FULL === '1' ? 20_000 : 60
const seeds = one === undefined ? Number(process.env.SIM_SEEDS ?? byDefault) : 1
const seedsOfProcess = 250

test(`the laws hold in ${seeds} simulated worlds from seed ${from}`, { timeout: 60_000 + seeds * 2000 }, async () => {
  const coverage = seeds < 500 ? await runHere() : await runInProcesses('test/sim/run-seeds.ts', { from, seeds, seedsOfProcess })
  if (seeds >= 200) expect(coverage.missing(wanted), `what never took place; of it: ${coverage}`).toEqual([])
})

/** Worlds that found a mistake once. */
test.each([2922, 4293, 9347, 16_334, 16_950])('the laws hold in world %i', async (seed) => {
  await simulate(seed)
})

async function runHere(): Promise<Coverage> {
  const coverage = new Coverage()
  for (let seed = from; seed < from + seeds; seed++) {
    const report = await simulate(seed)
    coverage.add(report.coverage)
    if (seed % 20 !== 0 && one === undefined) continue
    const again = await simulate(seed)
    expect(again.trace, `L9 same seed, same trace\n${againWith(seed)}`).toBe(report.trace)
  }
  return coverage
}

/** A fault or a feature that never took place was not tested. */
const wanted = [
  ...[
    'tumbling',
    'sliding',
    'session',
    'allowed lateness',
    'sliding, allowed lateness',
    'session, allowed lateness',
    'two windows',
    'merged',
    'process',
    'processing time',
    ...['tumbling', 'session', 'two windows', 'processing time'].map((kind) => `${kind}, early`),
  ].map((kind) => `job ${kind}`),
  'job stateless, skip',
  'job stateless, deadLetter',
  ...[1, 2, 3].map((tasks) => `parallelism ${tasks}`),
  ...['kill, commits lost', 'kill, commits arrive', 'crash signal', 'clean stop', 'zombie', 'zombie commit', 'faults'],
  ...['COMMIT_CONFLICT', 'COMMIT_FENCED', 'COMMIT_OUTCOME_UNKNOWN', 'LOG_UNAVAILABLE'].map((code) => `refused ${code}`),
  ...['recover.fenced', 'recover.restored', 'recover.rerun', 'recover.done', 'commit.sent', 'commit.acknowledged'].map(
    (point) => `probe ${point}`,
  ),
  ...['commits pipelined', 'several ranges', 'tick', 'trimmed', 'results left for the next slice', 'idle partition', 'input complete'],
  ...['memory log', 'embedded log', 'power lost', 'disk failures', 'outcome checked', 'checkpoint damaged'],
  ...['due while partitions are idle', 'due while partitions are empty', 'due while tasks have no partition'],
  ...['rows', 'rows replaced', 'records late', 'records diverted', 'records bad'],
]
