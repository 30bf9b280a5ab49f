import { z } from 'zod'
import { type ErrorCode, StreamError } from '../../../engine/errors.ts'

/** RFC 9457, with our codes. */
export const problem = z.object({
  type: z.string().describe('The page of the code'),
  title: z.string(),
  status: z.number(),
  detail: z.string(),
  code: z.string(),
  details: z.record(z.string(), z.unknown()),
  fix: z.string().optional(),
  requestId: z.string(),
})

const statuses: Partial<Record<ErrorCode, number>> = {
  REQUEST_INVALID: 400,
  USAGE: 400,
  RECORD_MALFORMED: 400,
  RECORD_SCHEMA_MISMATCH: 400,
  RECORD_TOO_LARGE: 413,
  KEY_INVALID: 400,
  EVENT_TIME_INVALID: 400,
  TOPIC_NAME_INVALID: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  TOKEN_UNKNOWN: 404,
  JOB_UNKNOWN: 404,
  VERSION_UNKNOWN: 404,
  TOPIC_UNKNOWN: 404,
  OPERATION_UNKNOWN: 404,
  KEY_UNKNOWN: 404,
  TABLE_TOO_LARGE: 413,
  DEAD_LETTER_UNKNOWN: 404,
  VERSION_NOT_READY: 409,
  VERSION_STATE: 409,
  CUT_OVER_ABORTED: 409,
  CUT_OVER_SEAM: 409,
  JOB_SEALED: 409,
  TOPIC_EXISTS: 409,
  TOKEN_EXISTS: 409,
  OUTPUT_OWNED: 409,
  COMMIT_CONFLICT: 409,
  COMMIT_FENCED: 409,
  OFFSET_OUT_OF_RANGE: 416,
  JOB_INVALID: 422,
  JOB_LOAD_FAILED: 422,
  API_NOT_ALLOWED: 422,
  SCHEMA_INCOMPATIBLE: 422,
  TOO_MANY_GUESSES: 429,
  DISK_FULL: 507,
  LOG_UNAVAILABLE: 503,
  SERVER_STOPPING: 503,
}

export function statusOf(error: unknown): number {
  if (error instanceof StreamError) return statuses[error.code] ?? 500
  const { statusCode } = error as { statusCode?: number }
  return statusCode ?? 500
}

/** What a client is told of an error; of our own mistakes only that there was one. */
export function problemOf(error: unknown, requestId: string): z.infer<typeof problem> {
  const status = statusOf(error)
  if (error instanceof StreamError) {
    const { code, details, message, fix } = error
    const type = `https://reprise.dev/errors/${code}`
    return {
      type,
      title: message.slice(0, message.indexOf(' (') >>> 0),
      status,
      detail: message,
      code,
      details,
      ...(fix === undefined ? {} : { fix }),
      requestId,
    }
  }
  const invalid = status < 500
  return {
    type: 'about:blank',
    title: invalid ? 'the request is not valid' : 'internal error',
    status,
    detail: invalid ? (error as Error).message : 'a mistake of ours; the log has more under this request id',
    code: invalid ? 'REQUEST_INVALID' : 'INTERNAL',
    // Clients make an error of code and details again.
    details: invalid ? { reason: (error as Error).message } : {},
    requestId,
  }
}
