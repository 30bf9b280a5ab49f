import assert from 'node:assert/strict'
import type * as z from 'zod'
import type { Decoded } from '../support.ts'

/** What decoding must give: JSON.parse of the bytes as UTF-8, then zod. */
export function expected(schema: z.ZodType, bytes: Uint8Array): Decoded & { readonly path?: PropertyKey[] } {
  let parsed: unknown
  try {
    parsed = JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch (error) {
    return { bad: { code: 'RECORD_MALFORMED', path: '$', message: (error as Error).message } }
  }
  const result = schema.safeParse(parsed)
  if (result.success) return { value: result.data }
  const [issue] = result.error.issues
  return { bad: { code: 'RECORD_SCHEMA_MISMATCH', path: '', message: issue?.message ?? '' }, path: issue?.path ?? [] }
}

/** Equal verdict, value, order of keys and first issue; -0 is not 0, and a missing key is not an undefined one. */
export function assertSame(schema: z.ZodType, bytes: Uint8Array, actual: Decoded): void {
  const wanted = expected(schema, bytes)
  const text = JSON.stringify(Buffer.from(bytes).toString('latin1'))
  if (wanted.bad === undefined) {
    assert.deepStrictEqual(actual.bad, undefined, `refused: ${text}`)
    assert.deepStrictEqual(actual.value, wanted.value, `value of ${text}`)
    assert.equal(JSON.stringify(actual.value), JSON.stringify(wanted.value), `order of keys of ${text}`)
  } else {
    assert.ok(actual.bad !== undefined, `accepted: ${text}, and must be ${wanted.bad.code} (${wanted.bad.message})`)
    assert.equal(actual.bad.code, wanted.bad.code, text)
    assert.ok(actual.bad.message.startsWith(wanted.bad.message), `${text}: ${actual.bad.message}`)
    if (wanted.path !== undefined)
      assert.equal(letters(actual.bad.path), letters(wanted.path.map((step) => JSON.stringify(String(step))).join('.')))
  }
}

/** Paths are compared by their letters and digits only; how they are spelled is another test's matter. */
function letters(path: string): string {
  return path.replaceAll(/\\\\|\\u[0-9a-f]{4}|\\[a-z]|[^\p{L}\p{N}]/gu, '')
}
