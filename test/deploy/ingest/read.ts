import type { InputBatches } from '../../../deploy/ingest/input-record.ts'
import type { StreamError } from '../../../engine/errors.ts'

/** A text in chunks of the given sizes, over and over. */
export async function* chunksOf(text: string | Uint8Array, ...sizes: number[]): AsyncIterable<Uint8Array> {
  const bytes = Buffer.from(text as string)
  let at = 0
  for (let i = 0; at < bytes.length; i++) {
    const size = sizes.length === 0 ? bytes.length : sizes[i % sizes.length]!
    yield bytes.subarray(at, at + size)
    at += size
  }
}

export interface Seen {
  readonly number: number
  readonly line: number
  readonly value: unknown
}

export async function all(batches: InputBatches): Promise<Seen[]> {
  const seen: Seen[] = []
  for await (const batch of batches) {
    for (const { number, line, value } of batch) seen.push({ number, line, value: JSON.parse(Buffer.from(value).toString()) })
  }
  return seen
}

export async function valuesOf(batches: InputBatches): Promise<unknown[]> {
  return (await all(batches)).map(({ value }) => value)
}

/** Collects what is left out: `onBad` to pass on, `lines` to look at. */
export function collectBad() {
  const errors: StreamError[] = []
  return {
    onBad: (error: StreamError) => void errors.push(error),
    errors,
    lines: () => errors.map(({ code, details }) => [code, details.line]),
  }
}
