import { expect, test } from 'vitest'
import { Coverage } from '../sim/coverage.ts'
import { runInProcesses } from '../sim/seed-processes.ts'
import { leaderPoints } from './sim/scenario.ts'
import { againWith, takeTurns } from './sim/world.ts'

/**
 * Versions of one job take turns in simulated worlds: what is public in the end is what the sequential rule says, while lives of versions and of
 * leaders end, are followed by others and go on, begin with what was decided long ago, and messages are late, doubled and lost.
 * Every world asserts L1 - L8 and L10 as it runs, some are run twice (L9). SIM_SEED: this one alone. SIM_SEEDS: how many (default 60, all 20,000 in
 * the full run; beyond 500 in several processes). SIM_FROM: the first (default 1).
 */
const one = process.env.SIM_SEED === undefined ? undefined : Number(process.env.SIM_SEED)
const from = one ?? Number(process.env.SIM_FROM ?? 1)
const byDefault = process.env.REPRISE_FULL === '1' ? 20_000 : 60
const seeds = one === undefined ? Number(process.env.SIM_SEEDS ?? byDefault) : 1
const seedsOfProcess = 100

test(`versions that take turns publish what the rule says, ${seeds} worlds from seed ${from}`, {
  timeout: 60_000 + seeds * 3000,
}, async () => {
  const coverage = seeds <= 500 ? await runHere() : await runInProcesses('test/replay/sim/run-seeds.ts', { from, seeds, seedsOfProcess })
  if (seeds >= 500) expect(coverage.missing(wanted), `what never took place; of it: ${coverage}`).toEqual([])
})

/** Worlds that found a mistake once, of the engine or of what they hold it against. */
test.each([1102, 2374, 4499, 6569, 7018, 7273, 7336, 9312, 12_709, 14_706, 19_417])(
  'versions that take turns publish what the rule says in world %i',
  async (seed) => {
    await takeTurns(seed)
  },
)

async function runHere(): Promise<Coverage> {
  const coverage = new Coverage()
  for (let seed = from; seed < from + seeds; seed++) {
    try {
      const { trace, coverage: found } = await takeTurns(seed)
      coverage.add(found)
      if (seed % 20 === 0) expect((await takeTurns(seed)).trace, 'L9 same seed, same trace').toBe(trace)
    } catch (error) {
      throw new Error(againWith(seed), { cause: error })
    }
  }
  return coverage
}

/** A fault or a turn that never took place was not tested. */
const wanted = [
  ...['tumbling', 'sliding', 'session', 'allowed lateness', 'processing time', 'process', 'stateless'].map(
    (kind) => `job ${kind}, specs differ`,
  ),
  ...['tumbling', 'sliding', 'session', 'allowed lateness', 'merged', 'two windows', 'process', 'processing time'].map(
    (kind) => `job ${kind}`,
  ),
  ...['job stateless, skip', 'job stateless, deadLetter'],
  ...[1, 2, 3].map((tasks) => `parallelism ${tasks}`),
  ...['cut-over', 'cut-over with a seam', 'cut-over aborted', 'rollback straight after', 'cut-over of changed windows at a common end'],
  ...['kill, commits lost', 'kill, commits arrive', 'zombie'].flatMap((how) => [`version ${how}`, `owner ${how}`, `in a hold: ${how}`]),
  ...['zombie commit', 'replaced life refused', 'life with an old view'],
  ...['message lost', 'message twice', 'message late'],
  ...['leader killed', 'second leader', 'leader COMMIT_CONFLICT', 'leader COMMIT_FENCED', 'hold of another leader aborted'],
  ...leaderPoints.flatMap((name) => [`leader killed at ${name}`, `second leader at ${name}`]),
  ...['version failed at a record', 'version stopped', 'taken over from a version that stopped', 'version cleaned'],
  ...['records late', 'records diverted', 'idle partition', 'idle partitions, no seam', 'idle partitions, a seam'],
  ...['partitions are idle', 'partitions are empty', 'tasks have no partition'].map((quiet) => `due while ${quiet}`),
  ...['to come', 'stopped', 'between lives', 'replaying', 'level'].map((state) => `old input kept, a version ${state}`),
  'input removed',
  ...['outcome checked', 'holds within their bound', 'aligned further in time'],
]
