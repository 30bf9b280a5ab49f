import { z } from 'zod'
import { type ErrorCode, StreamError } from '../../../engine/errors.ts'

/** RFC 9457, with our codes. */
const problem = z
  .object({
    type: z.string().describe('The page of the code'),
    title: z.string(),
    status: z.number(),
    detail: z.string(),
    instance: z.string().describe('The path that was called'),
    code: z.string(),
    details: z.record(z.string(), z.unknown()),
    fix: z.string().optional(),
    requestId: z.string(),
  })
  .meta({ id: 'Problem' })

export type Problem = z.infer<typeof problem>
export const problemType = 'application/problem+json'
const answer = (description: string) => ({ description, content: { [problemType]: { schema: problem } } })

/** What any route may answer instead. */
export const problems = { '4xx': answer('The call is refused'), '5xx': answer('The call failed') } as const

/** A call that is no good in a way that has a status of its own. */
export class Refusal extends StreamError {
  readonly status: number
  constructor(status: number, reason: string, fix?: string) {
    super('REQUEST_INVALID', { reason }, fix === undefined ? {} : { fix })
    this.status = status
  }
}

const statuses: Partial<Record<ErrorCode, number>> = {
  REQUEST_INVALID: 400,
  USAGE: 400,
  RECORD_MALFORMED: 400,
  RECORD_SCHEMA_MISMATCH: 400,
  RECORD_TOO_LARGE: 413,
  COMMIT_TOO_LARGE: 413,
  KEY_INVALID: 400,
  EVENT_TIME_INVALID: 400,
  TOPIC_NAME_INVALID: 400,
  REQUEST_TIMED_OUT: 408,
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
  FILE_UNWRITABLE: 409,
  COMMIT_CONFLICT: 409,
  COMMIT_FENCED: 409,
  IDEMPOTENCY_KEY_IN_USE: 409,
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
  if (error instanceof Refusal) return error.status
  if (error instanceof StreamError) return statuses[error.code] ?? 500
  const { statusCode } = error as { statusCode?: number }
  return statusCode ?? 500
}

export const sendLess = 'send less at once; records as application/x-ndjson may be any number'

const fixes: Readonly<Record<number, string>> = {
  413: sendLess,
  415: 'send content-type: application/json; for records also application/x-ndjson, one JSON value a line',
}

/** What a client is told of an error; of our own mistakes only that there was one. */
export function problemOf(error: unknown, requestId: string, path: string): Problem {
  const status = statusOf(error)
  const { code, details, message, fix } = error instanceof StreamError ? error : codedOf(error as Error, status, requestId)
  return {
    type: `https://reprise.dev/errors/${code}`,
    title: message.slice(0, message.indexOf(' (') >>> 0),
    status,
    detail: message,
    instance: path,
    code,
    details,
    ...(fix === undefined ? {} : { fix }),
    requestId,
  }
}

function codedOf({ message }: Error, status: number, requestId: string): StreamError {
  if (status < 500) return new Refusal(status, message, fixes[status])
  return new StreamError('INTERNAL', { requestId }, { fix: 'the log of the server has more under this requestId; report it' })
}

/** Without what was asked for: it may hold what is nobody's business. */
export function pathOf(url: string): string {
  return url.split('?', 1)[0]!
}
