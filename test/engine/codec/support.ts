import assert from 'node:assert/strict'
import type { BadRecord, Codec } from '../../../engine/codec/codec.ts'
import { runsOf } from '../../support/lane.ts'

/** A few thousand cases by default; a hundred times as many with REPRISE_FULL=1. */
export const RUNS = process.env.REPRISE_FULL === '1' ? 100 : runsOf(100) / 100

export interface Decoded {
  readonly value?: unknown
  readonly bad?: BadRecord
}

/** Bytes that could be read as a record going on, were they read. */
export const continuations = ['', '"', '}', '0123456789', '":1}', ',"a":1}', 'null}', '\\"}', 'e5}', '          }', '\u00ff'].map((text) =>
  Buffer.from(text.repeat(17).padEnd(16, ' '), 'latin1').subarray(0, 16),
)

/**
 * Decodes records that lie in one block, as the runtime does: with bytes before them, other ends before theirs, exactly 16 bytes
 * after the last one (and no more memory behind those), in calls of `step` records.
 */
export function decodeAll(
  codec: Codec<unknown>,
  records: readonly Uint8Array[],
  options: { after?: Uint8Array; step?: number } = {},
): Decoded[] {
  const { after = continuations[0] as Uint8Array, step = records.length || 1 } = options
  const base = 5
  const bytes = Buffer.from(new ArrayBuffer(base + records.reduce((sum, record) => sum + record.length, 0) + 16))
  const ends = new Uint32Array(records.length + 3).fill(0xffff)
  let at = base
  records.forEach((record, i) => {
    bytes.set(record, at)
    at += record.length
    ends[3 + i] = at - base
  })
  bytes.set(after, at)
  const view = new DataView(bytes.buffer)
  const before = Buffer.from(bytes)
  const found: Decoded[] = []
  for (let from = 0; from < records.length; from += step) {
    const to = Math.min(records.length, from + step)
    const out: unknown[] = ['before']
    const bad = codec.decode(bytes, view, base, ends, 3, from, to, out, 1)
    assert.equal(out[0], 'before')
    assert.equal(out.length, 1 + to - from)
    for (let i = from; i < to; i++) {
      const problem = bad?.get(i)
      if (problem !== undefined) assert.equal(out[1 + i - from], undefined)
      found.push(problem === undefined ? { value: out[1 + i - from] } : { bad: problem })
    }
  }
  assert.ok(bytes.equals(before), 'decoding must not write to the block')
  // the block is reused for other records: values must not change with it
  bytes.fill(0x78)
  return found
}

export function decodeTexts(codec: Codec<unknown>, texts: readonly string[]): Decoded[] {
  return decodeAll(
    codec,
    texts.map((text) => Buffer.from(text)),
  )
}
