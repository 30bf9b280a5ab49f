import { expect, test } from 'vitest'
import { readOnlyRun } from './read-only-run.ts'

/** One seed: REPRISE_SEED=7 npx vitest run test/engine/log/embedded/read-only-log.test.ts. Thousands: REPRISE_FULL=1 */
const one = process.env.REPRISE_SEED
const runs = process.env.REPRISE_FULL ? 5000 : 150
const seeds = one ? [Number(one)] : Array.from({ length: runs }, (_, i) => i + 1)

test(
  'what a view of another process shows is never taken back, over kills, failed syncs, full disks and restarts of the writer',
  async () => {
    const total = { kills: 0, failures: 0, commits: 0, looks: 0, followed: 0 }
    for (const seed of seeds) {
      const result = await readOnlyRun(seed)
      if (result.violation) {
        const again = `again: REPRISE_SEED=${seed} npx vitest run test/engine/log/embedded/read-only-log.test.ts`
        throw new Error([`seed ${seed}: ${result.violation}`, again, ...result.trace.slice(-80)].join('\n'))
      }
      for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += result[name]
    }
    if (one) return
    // A run in which nothing happened proves nothing.
    expect(total.kills).toBeGreaterThan(seeds.length)
    expect(total.failures).toBeGreaterThan(seeds.length / 3)
    expect(total.commits).toBeGreaterThan(seeds.length * 5)
    expect(total.looks).toBeGreaterThan(seeds.length * 5)
    expect(total.followed).toBeGreaterThan(seeds.length)
  },
  process.env.REPRISE_FULL ? 3_600_000 : 60_000,
)
