import { type ErrorCode, StreamError } from '../../engine/errors.ts'

/** What the exit code of the command line says. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  /** A condition is not met, or somebody else was first. */
  conflict: 3,
  timedOut: 4,
  notFound: 5,
  needsConfirmation: 6,
  /** No token that is valid, or one that does not allow it. */
  notAllowed: 7,
  unreachable: 8,
  /** By Ctrl-C. */
  interrupted: 130,
  /** By SIGTERM. */
  terminated: 143,
} as const

const byError: Partial<Record<ErrorCode, number>> = {
  USAGE: exitCodes.usage,
  UNAUTHENTICATED: exitCodes.notAllowed,
  FORBIDDEN: exitCodes.notAllowed,
  TOO_MANY_GUESSES: exitCodes.notAllowed,
  TOKEN_UNKNOWN: exitCodes.notFound,
  TOKEN_EXISTS: exitCodes.conflict,
  TOPIC_UNKNOWN: exitCodes.notFound,
  JOB_UNKNOWN: exitCodes.notFound,
  DEAD_LETTER_UNKNOWN: exitCodes.notFound,
  CONFIRMATION_NEEDED: exitCodes.needsConfirmation,
  VERSION_UNKNOWN: exitCodes.notFound,
  OPERATION_UNKNOWN: exitCodes.notFound,
  KEY_UNKNOWN: exitCodes.notFound,
  REQUEST_INVALID: exitCodes.usage,
  WAIT_TIMED_OUT: exitCodes.timedOut,
  SERVER_UNREACHABLE: exitCodes.unreachable,
  VERSION_NOT_READY: exitCodes.conflict,
  VERSION_STATE: exitCodes.conflict,
  CUT_OVER_ABORTED: exitCodes.conflict,
  CUT_OVER_SEAM: exitCodes.conflict,
  OUTPUT_OWNED: exitCodes.conflict,
  SCHEMA_INCOMPATIBLE: exitCodes.conflict,
  JOB_CHANGED: exitCodes.conflict,
  JOB_SEALED: exitCodes.conflict,
  TOPIC_EXISTS: exitCodes.conflict,
  COMMIT_FENCED: exitCodes.conflict,
  COMMIT_CONFLICT: exitCodes.conflict,
  LOG_LOCKED: exitCodes.conflict,
  INGEST_SOURCE_CHANGED: exitCodes.conflict,
}

export function exitCodeOf(error: unknown): number {
  if (!(error instanceof StreamError)) return exitCodes.failed
  if (error.code === 'FILE_UNREADABLE' && error.details.reason === 'ENOENT') return exitCodes.notFound
  return byError[error.code] ?? exitCodes.failed
}
