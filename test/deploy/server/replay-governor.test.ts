import { expect, test } from 'vitest'
import { ReplayGovernor } from '../../../deploy/server/replay-governor.ts'

/** v1 publishes, v2 replays and takes what it may, at most `could` a second. Time moves by looks of a tenth of a second. */
async function governed(
  looks: number,
  { could, latencyMs }: { could: number; latencyMs: (taken: number, look: number) => number | undefined },
) {
  const stop = new AbortController()
  let [now, look, position, taken] = [0, 0, 0, 0]
  let limit: number | null = null
  const limits: (number | null)[] = []
  const told: number[] = []
  const governor = new ReplayGovernor({
    clock: {
      now: () => now,
      monotonic: () => now,
      async sleep(ms) {
        taken = Math.min(could, limit ?? could)
        position += (taken * ms) / 1000
        now += ms
        limits.push(governor.heldBackTo(2))
        if (++look === looks) stop.abort()
      },
      yield: async () => {},
    },
    owner: () => 1,
    running: () => [1, 2],
    positions: (version) => new Map([['t/0', version === 1 ? 0 : position]]),
    takeLatency: (version) => (version === 1 ? latencyMs(taken, look) : undefined),
    ownerWaitsMs: () => 0,
    tell: (version, perSecond) => {
      told.push(version)
      limit = perSecond
    },
  })
  await governor.run(stop.signal)
  return { limits, told, position, governor }
}

test('a version that holds up the one that publishes is held back to what that one bears', async () => {
  const { limits, told, position } = await governed(600, { could: 500_000, latencyMs: (taken) => (taken > 100_000 ? 200 : 5) })
  expect(Math.max(...limits.slice(100).map((limit) => limit ?? Number.POSITIVE_INFINITY))).toBeLessThan(120_000)
  // Over a minute.
  expect(position / 60).toBeGreaterThan(70_000)
  expect(new Set(told)).toEqual(new Set([2]))
})

test('one that holds up nobody is not', async () => {
  const { limits, position } = await governed(300, { could: 500_000, latencyMs: () => 5 })
  expect(limits.at(-1)).toBe(null)
  expect(position / 30).toBeGreaterThan(400_000)
})

test('nor is one beside a version that is slow by itself', async () => {
  const { limits } = await governed(600, { could: 500_000, latencyMs: (_, look) => 300 + (look % 10) * 10 })
  expect(limits.at(-1)).toBe(null)
})

test('the limit is gone a minute after the last record went through the one that publishes', async () => {
  const { limits } = await governed(1300, { could: 500_000, latencyMs: (_, look) => (look < 600 ? 200 * (look % 2) + 5 : undefined) })
  expect(limits[599]).not.toBe(null)
  expect(limits.at(-1)).toBe(null)
})

test('a version that begins anew is not held back by what was known of it', async () => {
  const { governor } = await governed(100, { could: 500_000, latencyMs: (taken) => (taken > 100_000 ? 200 : 5) })
  expect(governor.heldBackTo(2)).not.toBe(null)
  governor.forget(2)
  expect(governor.heldBackTo(2)).toBe(null)
})
