import { expect, test } from 'vitest'
import { governEveryMs, ReplayGovernor } from '../../../deploy/server/replay-governor.ts'

/** v1 publishes, v2 replays and takes what it may, at most `could` a second. */
function governed(looks: number, { could, latencyMs }: { could: number; latencyMs: (taken: number, look: number) => number | undefined }) {
  let [now, position, taken] = [0, 0, 0]
  let limit: number | null = null
  const limits: (number | null)[] = []
  const told: number[] = []
  const governor = new ReplayGovernor({
    clock: { monotonic: () => now },
    owner: () => 1,
    running: () => [1, 2],
    positions: (version) => new Map([['t/0', version === 1 ? 0 : position]]),
    takeLatency: (version) => (version === 1 ? latencyMs(taken, limits.length) : undefined),
    ownerWaitsMs: () => 0,
    tell: (version, perSecond) => {
      told.push(version)
      limit = perSecond
    },
  })
  while (limits.length < looks) {
    governor.look()
    limits.push(governor.heldBackTo(2))
    taken = Math.min(could, limit ?? could)
    position += (taken * governEveryMs) / 1000
    now += governEveryMs
  }
  return { limits, told, position, governor }
}

test('a version that holds up the one that publishes is held back to what that one bears', () => {
  const { limits, told, position } = governed(600, { could: 500_000, latencyMs: (taken) => (taken > 100_000 ? 200 : 5) })
  expect(Math.max(...limits.slice(100).map((limit) => limit ?? Number.POSITIVE_INFINITY))).toBeLessThan(120_000)
  // Over a minute.
  expect(position / 60).toBeGreaterThan(70_000)
  expect(new Set(told)).toEqual(new Set([2]))
})

test('one that holds up nobody is not', () => {
  const { limits, position } = governed(300, { could: 500_000, latencyMs: () => 5 })
  expect(limits.at(-1)).toBe(null)
  expect(position / 30).toBeGreaterThan(400_000)
})

test('nor is one beside a version that is slow by itself', () => {
  const { limits } = governed(600, { could: 500_000, latencyMs: (_, look) => 300 + (look % 10) * 10 })
  expect(limits.at(-1)).toBe(null)
})

test('the limit is gone a minute after the last record went through the one that publishes', () => {
  const { limits } = governed(1300, { could: 500_000, latencyMs: (_, look) => (look < 600 ? 200 * (look % 2) + 5 : undefined) })
  expect(limits[599]).not.toBe(null)
  expect(limits.at(-1)).toBe(null)
})

test('a version that begins anew is not held back by what was known of it', () => {
  const { governor } = governed(100, { could: 500_000, latencyMs: (taken) => (taken > 100_000 ? 200 : 5) })
  expect(governor.heldBackTo(2)).not.toBe(null)
  governor.forget(2)
  expect(governor.heldBackTo(2)).toBe(null)
})
