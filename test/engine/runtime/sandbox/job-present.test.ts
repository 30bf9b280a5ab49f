import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { JobPresent } from '../../../../engine/runtime/sandbox/job-present.ts'

describe('random numbers of a job', () => {
  test('start over with the slice', () => {
    const present = new JobPresent()
    present.seed(3, 41)
    const first = take(present, 10)
    take(present, 5)
    present.seed(3, 41)
    expect(take(present, 10)).toEqual(first)
  })

  test('are others for another task or another slice', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.nat(2 ** 40), fc.nat(1000), fc.nat(2 ** 40), (task, seq, otherTask, otherSeq) => {
        fc.pre(task !== otherTask || seq !== otherSeq)
        expect(drawn(task, seq)).not.toEqual(drawn(otherTask, otherSeq))
      }),
    )
    expect(drawn(1, 2)).not.toEqual(drawn(2, 1))
    expect(drawn(1, 5)).not.toEqual(drawn(1, 5 + 2 ** 32))
  })

  test('are evenly spread, also over the first of many slices', () => {
    const buckets = new Array<number>(16).fill(0)
    for (let seq = 0; seq < 16_000; seq++) {
      for (const x of drawn(0, seq)) {
        expect(x >= 0 && x < 1).toBe(true)
        buckets[Math.floor(x * 16)]!++
      }
    }
    // 48,000 draws: 3,000 a bucket, standard deviation 53.
    for (const count of buckets) expect(Math.abs(count - 3000)).toBeLessThan(300)
  })
})

function drawn(task: number, seq: number): number[] {
  const present = new JobPresent()
  present.seed(task, seq)
  return take(present, 3)
}

function take(present: JobPresent, count: number): number[] {
  return Array.from({ length: count }, () => present.random())
}
