import { expect, test } from 'vitest'
import { type ProgressSample, progressOf } from '../../replay/progress.ts'

const running = { paused: false, within: false }

/** A look each second: what was taken and what came in since the one before. */
function looks(
  count: number,
  takenPerSecond: (s: number) => number,
  headPerSecond: number,
  start = { done: 0, target: 100_000 },
): ProgressSample[] {
  const samples: ProgressSample[] = [{ at: 0, ...start }]
  for (let s = 1; s < count; s++) {
    const { done, target } = samples.at(-1)!
    samples.push({ at: s * 1000, done: done + takenPerSecond(s), target: target + headPerSecond })
  }
  return samples
}

test('from one look nothing is said about rates, and no time is promised', () => {
  const { eta, ratio, recordsPerSecond } = progressOf([{ at: 5000, done: 25, target: 100 }], running)
  expect({ eta, ratio, recordsPerSecond }).toEqual({ eta: { state: 'computing' }, ratio: 0.25, recordsPerSecond: undefined })
})

test('the time left is what is left by the rate at which it shrinks: the target moves', () => {
  const { recordsPerSecond, headPerSecond, netPerSecond, eta, target } = progressOf(
    looks(11, () => 5000, 1000),
    running,
  )
  expect({ recordsPerSecond, headPerSecond, netPerSecond }).toEqual({ recordsPerSecond: 5000, headPerSecond: 1000, netPerSecond: 4000 })
  expect(target).toBe(110_000)
  expect(eta).toEqual({ state: 'estimated', seconds: 15, low: 15, high: 15 })
})

test('a rate that changes gives a range', () => {
  const { eta } = progressOf(
    looks(11, (s) => (s <= 5 ? 4000 : 8000), 0),
    running,
  )
  expect(eta.state).toBe('estimated')
  expect(eta.low).toBeLessThan(eta.seconds!)
  expect(eta.high).toBeGreaterThan(eta.seconds!)
})

test('more comes in than is taken: never, with the measured rates', () => {
  expect(
    progressOf(
      looks(11, () => 1000, 1200),
      running,
    ).eta,
  ).toEqual({
    state: 'never',
    reason: '1,200 records/s come in, 1,000 records/s are taken',
  })
})

test('only the last twenty seconds count', () => {
  const { recordsPerSecond } = progressOf(
    looks(61, (s) => (s <= 40 ? 10 : 1000), 0),
    running,
  )
  expect(recordsPerSecond).toBe(1000)
})

test('paused: no time is said; within its policy: done', () => {
  const samples = looks(11, (s) => (s === 1 ? 50 : 0), 20)
  // What was under way when it was paused still came.
  expect(progressOf(samples, { paused: true, within: false })).toMatchObject({
    ...{ recordsPerSecond: 0, headPerSecond: 20, netPerSecond: -20 },
    eta: { state: 'paused' },
  })
  expect(progressOf(samples, { paused: false, within: true }).eta).toEqual({ state: 'done', seconds: 0 })
})

test('nothing to read at all is done', () => {
  expect(progressOf([{ at: 0, done: 0, target: 0 }], running)).toMatchObject({ ratio: 1, eta: { state: 'done' } })
})
