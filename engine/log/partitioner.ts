/** Partition of key bytes[start, end): as Kafka's default partitioner chooses it, so that both logs agree. Pure. */
export function partitionOf(bytes: Uint8Array, start: number, end: number, partitions: number): number {
  return partitions === 1 ? 0 : (murmur2(bytes, start, end) & 0x7fffffff) % partitions
}

/** MurmurHash2, 32 bit, with Kafka's seed. */
export function murmur2(bytes: Uint8Array, start: number, end: number): number {
  const m = 0x5bd1e995
  let h = 0x9747b28c ^ (end - start)
  let p = start
  for (; end - p >= 4; p += 4) {
    let k = bytes[p]! | (bytes[p + 1]! << 8) | (bytes[p + 2]! << 16) | (bytes[p + 3]! << 24)
    k = Math.imul(k, m)
    k ^= k >>> 24
    h = Math.imul(h, m) ^ Math.imul(k, m)
  }
  const left = end - p
  if (left === 3) h ^= bytes[p + 2]! << 16
  if (left >= 2) h ^= bytes[p + 1]! << 8
  if (left >= 1) h = Math.imul(h ^ bytes[p]!, m)
  h = Math.imul(h ^ (h >>> 13), m)
  return h ^ (h >>> 15)
}
