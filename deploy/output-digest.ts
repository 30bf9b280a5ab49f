import { createHash } from 'node:crypto'
import { readRecords } from '../engine/log/read-records.ts'
import type { Log } from '../engine/ports/log.ts'

/**
 * One number for what a job has published, whatever the order it came in: the multiset of (key, value) of each stream,
 * the last value by key of each table. Two runs over the same input give the same digest. 24 hex digits.
 */
export async function outputDigest(log: Log, topics: readonly string[]): Promise<string> {
  const digest = createHash('sha256')
  for (const name of [...topics].sort()) {
    const info = log.topic(name)
    if (info === undefined) continue
    const sum = new HashSum()
    for (let partition = 0; partition < info.partitions; partition++) {
      const latest = info.kind === 'table' ? new Map<string, Uint32Array>() : undefined
      const { start, end } = log.bounds(name, partition)
      for await (const { key, value } of readRecords(log, name, partition, start, end)) {
        const hash = value === null ? undefined : recordHash(key, value)
        if (latest !== undefined && key !== null) {
          const id = Buffer.from(key).toString('latin1')
          const before = latest.get(id)
          if (before !== undefined) sum.subtract(before)
          if (hash === undefined) latest.delete(id)
          else latest.set(id, hash)
        }
        if (hash !== undefined) sum.add(hash)
      }
    }
    digest.update(`${name}\n`).update(new Uint8Array(sum.words.buffer))
  }
  return digest.digest('hex').slice(0, 24)
}

/** Sum of hashes, word by word: does not depend on order, and takes back what was added. */
class HashSum {
  readonly words = new Uint32Array(5)

  add(hash: Uint32Array): void {
    for (let i = 0; i < 5; i++) this.words[i]! += hash[i]!
  }

  subtract(hash: Uint32Array): void {
    for (let i = 0; i < 5; i++) this.words[i]! -= hash[i]!
  }
}

function recordHash(key: Uint8Array | null, value: Uint8Array): Uint32Array {
  const head = Buffer.from(key === null ? 'n' : `k${key.length}:`)
  const hash = createHash('sha1')
    .update(head)
    .update(key ?? '')
    .update(value)
    .digest()
  return new Uint32Array(hash.buffer.slice(hash.byteOffset, hash.byteOffset + 20))
}
