import { expect, test } from 'vitest'
import { Pace } from '../../replay/pace.ts'

/** Takes whatever it may for so long, looking each `everyMs`. @returns records taken. */
function takeFor(ms: number, everyMs: number, set: (pace: Pace, at: number) => void, sliceMax = 16_384): number {
  let now = 0
  const pace = new Pace({ monotonic: () => now, sleep: async () => {} })
  let taken = 0
  for (; now < ms; now += everyMs) {
    set(pace, now)
    const records = Math.min(pace.allowance ?? sliceMax, sliceMax)
    if (records < 1) continue
    pace.took(records)
    taken += records
  }
  return taken
}

test.each([[1], [10], [500], [20_000], [1_000_000]])('a limit of %i records/s is kept over ten seconds', (rate) => {
  const taken = takeFor(
    10_000,
    5,
    (pace) => {
      pace.recordsPerSecond = rate
    },
    1 << 20,
  )
  expect(taken).toBeGreaterThanOrEqual(rate * 9.5 - 1)
  expect(taken).toBeLessThanOrEqual(rate * 10.3 + 1)
})

test('what was not taken is not saved up for long', () => {
  let now = 0
  const pace = new Pace({ monotonic: () => now, sleep: async () => {} })
  pace.recordsPerSecond = 1000
  now = 3_600_000
  expect(pace.allowance).toBeLessThanOrEqual(200)
})

test('0 pauses, and null takes the limit away at once', () => {
  const taken = takeFor(
    1000,
    10,
    (pace, at) => {
      pace.recordsPerSecond = at < 500 ? 0 : null
    },
    7,
  )
  expect(taken).toBe(50 * 7)
})

test('it says how long to wait until it is worth a slice', async () => {
  let now = 0
  const slept: number[] = []
  const pace = new Pace({ monotonic: () => now, sleep: async (ms) => void slept.push(ms) })
  pace.recordsPerSecond = 1000
  expect(pace.allowance).toBe(0)
  await pace.refilled()
  expect(slept).toEqual([50])
  now += 50
  expect([pace.allowance, pace.refilled()]).toEqual([50, undefined])
})
