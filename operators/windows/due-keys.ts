import type { EpochMs, Key } from '../../engine/model/record.ts'

/**
 * When to look at which key: buckets of time, so that what is due costs by the keys that are due. A key may stand in several, and more than once;
 * what it is due for is looked up when its time has come.
 */
export class DueKeys {
  private readonly bucketMs: number
  private readonly buckets = new Map<number, Key[]>()
  /** Nothing is due before. */
  earliest: EpochMs = Number.POSITIVE_INFINITY

  constructor(bucketMs: number) {
    this.bucketMs = bucketMs
  }

  add(at: EpochMs, key: Key): void {
    const bucket = Math.floor(at / this.bucketMs)
    const keys = this.buckets.get(bucket)
    if (keys === undefined) this.buckets.set(bucket, [key])
    else keys.push(key)
    if (at < this.earliest) this.earliest = at
  }

  /** Takes out every key that may be due at `now`, and some that are not: each once. The caller adds again those that are due later. */
  take(now: EpochMs): Set<Key> {
    const last = Math.floor(now / this.bucketMs)
    const taken = new Set<Key>()
    let lowest = Number.POSITIVE_INFINITY
    for (const [bucket, keys] of this.buckets) {
      if (bucket > last) {
        if (bucket < lowest) lowest = bucket
        continue
      }
      for (const key of keys) taken.add(key)
      this.buckets.delete(bucket)
    }
    this.earliest = lowest * this.bucketMs
    return taken
  }
}
