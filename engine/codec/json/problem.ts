import type * as z from 'zod/v4/core'
import { StreamError } from '../../errors.ts'
import type { BadRecord } from '../codec.ts'

/** Where and why a value does not fit its schema, from what zod found. */
export interface Problem {
  readonly path: string
  readonly message: string
}

/** The first issue stands for all; how many more there are is said in the message. */
export function problemOf(issues: readonly z.$ZodIssue[]): Problem {
  const [first] = issues
  if (first === undefined) return { path: '$', message: 'invalid' }
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : ''
  return { path: pathOf(first.path), message: `${first.message}${more}` }
}

/** `items[2].price`; `$` is the whole value. */
export function pathOf(path: readonly PropertyKey[]): string {
  if (path.length === 0) return '$'
  return path
    .map((step, i) => {
      if (typeof step === 'number') return `[${step}]`
      const name = String(step)
      return /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(name) ? (i === 0 ? name : `.${name}`) : `[${JSON.stringify(name)}]`
    })
    .join('')
}

export function malformed(message: string): BadRecord {
  return { code: 'RECORD_MALFORMED', path: '$', message }
}

export function mismatch({ path, message }: Problem): BadRecord {
  return { code: 'RECORD_SCHEMA_MISMATCH', path, message }
}

export function outputInvalid({ path, message }: Problem, cause?: unknown): StreamError {
  return new StreamError('OUTPUT_INVALID', { path, message }, cause === undefined ? {} : { cause })
}

/** What a schema's own code (a refinement, a transform) threw. Asynchronous code in a schema is a mistake of the job. */
export function thrownBySchema(error: unknown): Problem {
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof Error && error.constructor.name === '$ZodAsyncError') {
    throw new StreamError(
      'JOB_INVALID',
      { message: 'the schema has an asynchronous refinement or transform' },
      {
        cause: error,
        fix: 'use synchronous checks only: a record must be decoded the same way on every run',
      },
    )
  }
  return { path: '$', message: `the schema's own code threw: ${message}` }
}
