import { createHash } from 'node:crypto'
import type { Coverage } from './input-buffer.ts'

/** Names the content of a range by the checksums of the blocks it came in, not by a second pass over the bytes. 20 hex digits. */
export function inputDigest(coverage: readonly Coverage[]): string {
  // Neighbouring pieces of one original count as one: how far it was decoded in one go must not show.
  const numbers: number[] = []
  let last: Coverage | undefined
  for (const piece of coverage) {
    if (last !== undefined && last.originalFrom === piece.originalFrom && last.to === piece.from) numbers[numbers.length - 1] = piece.to
    else numbers.push(piece.contentChecksum, piece.originalFrom, piece.from, piece.to)
    last = piece
  }
  return hashNumbers(numbers)
}

/** Of outputs: (ordinal of the output, partition, count, content checksum) each. */
export function hashNumbers(numbers: readonly number[]): string {
  const values = Float64Array.from(numbers)
  return createHash('sha1').update(new Uint8Array(values.buffer)).digest('hex').slice(0, 20)
}

/** h(n) = hash(h(n-1), what slice n was and did). 32 hex digits. */
export function chainHash(before: string, text: string): string {
  return createHash('sha256').update(before).update('\n').update(text).digest('hex').slice(0, 32)
}
