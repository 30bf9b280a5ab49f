import { expect, test } from 'vitest'
import { stateProbePoints } from '../../state/probe-points.ts'
import { runsOf } from '../support/lane.ts'
import { CrashRun, type CrashRunOptions } from './support/crash-run.ts'

const seeds = Number(process.env.STATE_SEEDS ?? runsOf(25))
const firstSeed = Number(process.env.STATE_FIRST_SEED ?? 1)

async function crashRuns(options: Omit<CrashRunOptions, 'seed'>): Promise<Record<string, number>> {
  const seen: Record<string, number> = {}
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    const run = new CrashRun({ ...options, seed })
    await run.run()
    for (const [what, times] of Object.entries(run.seen)) seen[what] = (seen[what] ?? 0) + times
  }
  return seen
}

test('state is what a plain model holds, over crashes at any point', async () => {
  const seen = await crashRuns({ lives: 6, slices: 25, keys: 12, memoryBytesMax: 1 << 28, damage: 'none' })
  expect(seen.published).toBeGreaterThan(seeds)
  expect(seen['restored newest']).toBeGreaterThan(seeds)
  expect(seen['checkpoint.after-merge']).toBeGreaterThan(seeds)
})

test('when any file of the newest checkpoint is damaged the older one is restored', async () => {
  const seen = await crashRuns({ lives: 8, slices: 25, keys: 12, memoryBytesMax: 1 << 28, damage: 'newest' })
  expect(seen['restored older']).toBeGreaterThan(seeds / 2)
})

test('when no checkpoint is left the state begins from zero', async () => {
  const seen = await crashRuns({ lives: 6, slices: 15, keys: 12, memoryBytesMax: 1 << 28, damage: 'all' })
  expect(seen['from zero']).toBeGreaterThan(seeds)
})

test('over a small budget no slice runs before a checkpoint has given room', async () => {
  const seen = await crashRuns({ lives: 4, slices: 40, keys: 40, memoryBytesMax: 8000, damage: 'none' })
  expect(seen.full).toBeGreaterThan(seeds)
})

test.each(['nothing', 'tail', 'hole'] as const)(
  'state larger than memory is the same state, when a crash loses of what is below memory: %s',
  async (spillLoses) => {
    const seen = await crashRuns({ lives: 6, slices: 40, keys: 40, memoryBytesMax: 12_000, damage: 'none', spillLoses })
    expect(seen['checkpoint.applied']).toBeGreaterThan(seeds)
  },
)

test('state larger than memory falls back to the older checkpoint, whatever is below memory already', async () => {
  const seen = await crashRuns({ lives: 6, slices: 40, keys: 40, memoryBytesMax: 12_000, damage: 'newest', spillLoses: 'nothing' })
  expect(seen['restored older']).toBeGreaterThan(seeds / 3)
  expect(seen['restore.rebuilt']).toBeGreaterThan(seeds / 5)
})

test('each named point is passed', async () => {
  const seen = await crashRuns({ lives: 6, slices: 40, keys: 40, memoryBytesMax: 12_000, damage: 'newest', spillLoses: 'tail' })
  expect(stateProbePoints.filter((point) => seen[point] === undefined)).toEqual([])
})
