import * as z from 'zod/v4/core'
import type { BadRecord } from '../codec.ts'
import { malformed, mismatch, problemOf, thrownBySchema } from './problem.ts'
import { type DecodeOne, UNDECIDED } from './value-source.ts'

export type Decoded = { readonly bad: undefined; readonly value: unknown } | { readonly bad: BadRecord }

/** The third tier, which alone decides what is wrong with a record, and says so: JSON.parse, then zod. */
export function decodeByZod(schema: z.$ZodType, bytes: Buffer, start: number, end: number): Decoded {
  let parsed: unknown
  try {
    parsed = JSON.parse(bytes.utf8Slice(start, end))
  } catch (error) {
    return { bad: malformed((error as SyntaxError).message) }
  }
  try {
    const result = z.safeParse(schema, parsed)
    return result.success ? { bad: undefined, value: result.data } : { bad: mismatch(problemOf(result.error.issues)) }
  } catch (error) {
    return { bad: mismatch(thrownBySchema(error)) }
  }
}

/** The same for one field; what does not pass is handed down. */
export function fieldByZod(schema: z.$ZodType): DecodeOne {
  return (bytes, _view, start, end) => {
    const decoded = decodeByZod(schema, bytes, start, end)
    return decoded.bad === undefined ? decoded.value : UNDECIDED
  }
}
