import { type ErrorDetails, StreamError } from '../engine/errors.ts'

/** JOB_INVALID with the place, what is wrong there and what to write instead. */
export function invalid(place: ErrorDetails, reason: string, fix: string): StreamError {
  return new StreamError('JOB_INVALID', { ...place, reason }, { fix })
}
