import { describe, expect, test } from 'vitest'
import { Pace } from '../../replay/pace.ts'

const records = (recordsPerSecond: number | null) => ({ recordsPerSecond, bytesPerSecond: null })
const bytes = (bytesPerSecond: number) => ({ recordsPerSecond: null, bytesPerSecond })

const refilled = (pace: Pace) => new Promise<void>((wake) => void pace.onRefilled(wake))

/** Takes whatever it may for so long, looking each `everyMs`. @returns records taken. */
function takeFor(ms: number, everyMs: number, set: (pace: Pace, at: number) => void, sliceMax = 16_384): number {
  let now = 0
  const pace = new Pace({ monotonic: () => now, sleep: async () => {} })
  let taken = 0
  for (; now < ms; now += everyMs) {
    set(pace, now)
    const count = Math.min(pace.allowance ?? sliceMax, sliceMax)
    if (count < 1) continue
    pace.took(count, 0)
    taken += count
  }
  return taken
}

test.each([[1], [10], [500], [20_000], [1_000_000]])('a limit of %i records/s is kept over ten seconds', (rate) => {
  const taken = takeFor(
    10_000,
    5,
    (pace) => {
      pace.limits = records(rate)
    },
    1 << 20,
  )
  expect(taken).toBeGreaterThanOrEqual(rate * 9.5 - 1)
  expect(taken).toBeLessThanOrEqual(rate * 10.3 + 1)
})

test('what was not taken is not saved up for long', () => {
  let now = 0
  const pace = new Pace({ monotonic: () => now, sleep: async () => {} })
  pace.limits = records(1000)
  now = 3_600_000
  expect(pace.allowance).toBeLessThanOrEqual(200)
})

test('0 pauses, and null takes the limit away at once', () => {
  const taken = takeFor(
    1000,
    10,
    (pace, at) => {
      pace.limits = records(at < 500 ? 0 : null)
    },
    7,
  )
  expect(taken).toBe(50 * 7)
})

test('it says how long to wait until it is worth a slice', async () => {
  let now = 0
  const slept: number[] = []
  const pace = new Pace({ monotonic: () => now, sleep: async (ms) => void slept.push(ms) })
  pace.limits = records(1000)
  expect(pace.allowance).toBe(0)
  await refilled(pace)
  expect(slept).toEqual([50])
  now += 50
  pace.onRefilled(() => expect.unreachable())
  expect([pace.allowance, slept]).toEqual([50, [50]])
})

describe('a limit in bytes', () => {
  test.each([
    ['of one size', () => 100],
    ['of many sizes', (n: number) => 10 + ((n * 7919) % 1000)],
    ['larger than what may be saved up', () => 3_000_000],
    ['that become a thousand times as large', (n: number) => (n < 100_000 ? 100 : 100_000)],
  ])('is kept over ten seconds, for records %s', (_, sizeOf) => {
    let [now, next, taken] = [0, 0, 0]
    const pace = new Pace({ monotonic: () => now, sleep: async () => {} })
    pace.limits = bytes(5_000_000)
    let largest = 0
    for (; now < 10_000; now += 5) {
      const count = Math.min(pace.allowance!, 16_384)
      let size = 0
      for (let i = 0; i < count; i++) size += sizeOf(next++)
      if (count > 0) pace.took(count, size)
      taken += size
      largest = Math.max(largest, size)
    }
    expect(taken).toBeGreaterThanOrEqual(5_000_000 * 9.5 - largest)
    expect(taken).toBeLessThanOrEqual(5_000_000 * 10.3 + largest)
  })

  test('begins with a few records, and lets one go on that is larger than the limit', () => {
    let now = 0
    const pace = new Pace({ monotonic: () => now, sleep: async () => {} })
    pace.limits = bytes(1000)
    now += 200
    expect(pace.allowance).toBe(16)
    pace.took(1, 5000)
    expect(pace.allowance).toBe(0)
    now += 4900
    expect(pace.allowance).toBe(1)
  })

  test('holds beside one in records: whichever allows less', async () => {
    let now = 0
    const slept: number[] = []
    const pace = new Pace({ monotonic: () => now, sleep: async (ms) => void slept.push(ms) })
    pace.took(10, 1000)
    pace.limits = { recordsPerSecond: 1000, bytesPerSecond: 10_000 }
    await refilled(pace)
    now += 200
    expect(pace.allowance).toBe(20)
    pace.took(20, 2000)
    now += 10
    await refilled(pace)
    pace.limits = { recordsPerSecond: 10, bytesPerSecond: 10_000 }
    now += 200
    expect(pace.allowance).toBe(2)
    expect(slept).toEqual([50, 40])
  })

  test('of 0 pauses, whatever the other one allows', () => {
    let now = 0
    const pace = new Pace({ monotonic: () => now, sleep: async () => {} })
    pace.limits = { recordsPerSecond: 1000, bytesPerSecond: 0 }
    now += 1000
    expect(pace.allowance).toBe(0)
  })
})

test('held back gently, it takes as much in smaller slices', () => {
  let now = 0
  const pace = new Pace({ monotonic: () => now, sleep: async () => {} })
  pace.limits = records(null)
  pace.gentleTo = 100_000
  let [taken, largest] = [0, 0]
  for (; now < 10_000; now += 1) {
    const count = pace.allowance!
    if (count > 0) pace.took(count, count * 100)
    taken += count
    largest = Math.max(largest, count)
  }
  expect(taken).toBeGreaterThan(950_000)
  expect(taken).toBeLessThan(1_030_000)
  // What a hundredth of a second is worth, and what came while nobody looked.
  expect(largest).toBeLessThanOrEqual(1200)
  pace.gentleTo = null
  expect(pace.allowance).toBe(undefined)
})
