/**
 * Every fact of life that Reprise reports by code. One page per code stands in docs/errors/; a test keeps both equal.
 * A broken assumption of ours is never one of these: that is an assertion (see assert.ts).
 */
export type Retry = 'never' | 'after-backoff' | 'after-restore' | 'after-fix'

interface ErrorKind {
  readonly retry: Retry
  readonly text: string
  /** The way out, where it is always the same. */
  readonly fix?: string
}

const table = {
  // job and topology
  JOB_INVALID: { retry: 'after-fix', text: 'the job definition is not valid' },
  JOB_LOAD_FAILED: { retry: 'after-fix', text: 'the job file could not be bundled or loaded' },
  TYPE_CHECK_FAILED: { retry: 'after-fix', text: "the job's types do not fit together, or could not be checked" },
  JOB_CHANGED: { retry: 'after-fix', text: 'the job is not the one that this data directory was written by' },
  VERSION_UNKNOWN: { retry: 'after-fix', text: 'the job has no such version' },
  VERSION_NOT_READY: { retry: 'after-backoff', text: 'the version does not meet the conditions for publishing' },
  CUT_OVER_SEAM: { retry: 'after-fix', text: 'the versions cut time differently, so a switch can not be exact' },
  VERSION_STATE: { retry: 'after-fix', text: 'the version is not in a state for this' },
  VERSION_CRASHED: { retry: 'after-fix', text: "the version's code ended its thread" },
  VERSION_UNRESPONSIVE: { retry: 'after-fix', text: "the version's code did not come back" },
  VERSION_OUT_OF_MEMORY: { retry: 'after-fix', text: 'the version needs more memory than it may have' },
  CATCH_UP_OVERDUE: { retry: 'after-fix', text: 'the version did not catch up in the time it may take' },
  VERSION_OUT_OF_DISK: { retry: 'after-fix', text: 'the version needs more disk than it may have' },
  OUTPUT_OWNED: { retry: 'after-fix', text: 'another job writes to this topic' },
  SCHEMA_INCOMPATIBLE: { retry: 'after-fix', text: 'readers of this topic could not read what the new version writes' },
  JOB_UNKNOWN: { retry: 'after-fix', text: 'there is no job of this name' },
  JOB_SEALED: { retry: 'never', text: 'the input of this job was declared complete' },
  JOB_NOT_DETERMINISTIC: { retry: 'after-fix', text: 'a re-run of a journaled slice gave other output' },
  INPUT_CHANGED: { retry: 'never', text: 'a journaled slice would read other input than it read then' },
  API_NOT_ALLOWED: { retry: 'after-fix', text: 'job code used something that would make its results depend on more than its input' },
  // records
  RECORD_MALFORMED: { retry: 'after-fix', text: 'the record is not what its codec expects' },
  RECORD_SCHEMA_MISMATCH: { retry: 'after-fix', text: "the record does not match its topic's schema" },
  RECORD_IN_FUTURE: { retry: 'after-fix', text: 'the event time lies too far ahead of the append time' },
  RECORD_TOO_LARGE: { retry: 'after-fix', text: 'the record is larger than a record may be' },
  EVENT_TIME_INVALID: { retry: 'after-fix', text: 'the event time is not a finite number of milliseconds' },
  KEY_INVALID: { retry: 'after-fix', text: 'a key must be a string or a finite number' },
  OPERATOR_THREW: { retry: 'after-fix', text: "the job's function threw" },
  OUTPUT_INVALID: { retry: 'after-fix', text: "the output does not match its topic's schema" },
  RECORD_SKIPPED: { retry: 'after-fix', text: 'the record was set aside by decision of whoever runs the job' },
  DEAD_LETTER_UNKNOWN: { retry: 'after-fix', text: 'the job has no dead letter of this id' },
  // log
  TOPIC_UNKNOWN: { retry: 'after-fix', text: 'there is no such topic' },
  TOPIC_EXISTS: { retry: 'after-fix', text: 'a topic of this name exists with other settings' },
  TOPIC_NAME_INVALID: { retry: 'after-fix', text: 'the topic name is not allowed' },
  OFFSET_OUT_OF_RANGE: { retry: 'after-fix', text: 'the offset is not in the log' },
  COMMIT_FENCED: { retry: 'never', text: 'a newer epoch owns this producer' },
  CUT_OVER_ABORTED: { retry: 'after-backoff', text: 'the version does not publish; all goes on as before' },
  COMMIT_CONFLICT: { retry: 'after-restore', text: 'the commit does not build on the end of its journal' },
  COMMIT_TOO_LARGE: { retry: 'after-fix', text: 'the commit is larger than a commit may be' },
  COMMIT_OUTCOME_UNKNOWN: { retry: 'after-restore', text: 'it is not known whether the commit took place' },
  LOG_UNAVAILABLE: { retry: 'after-backoff', text: 'the log can not be used' },
  LOG_LOCKED: { retry: 'after-fix', text: 'another process has the data directory open' },
  LOG_CORRUPT: { retry: 'never', text: 'the log is damaged' },
  LOG_CLOCK_AHEAD: { retry: 'after-fix', text: 'the last append time lies far ahead of the clock' },
  LOG_FORMAT_UNKNOWN: { retry: 'after-fix', text: 'the data directory was written by another release' },
  DISK_FULL: { retry: 'after-backoff', text: 'there is no space left on the disk', fix: 'make room on the disk of this file' },
  // state
  CHECKPOINT_CORRUPT: { retry: 'after-restore', text: 'a checkpoint does not match its manifest' },
  CHECKPOINT_MISSING: { retry: 'never', text: 'no usable checkpoint is left and the journal does not reach back to its beginning' },
  STATE_CORRUPT: { retry: 'after-restore', text: 'local state does not match its checkpoint' },
  STATE_VALUE_UNSUPPORTED: { retry: 'after-fix', text: 'a value of this type can not be kept in state' },
  // server and its clients
  UNAUTHENTICATED: { retry: 'after-fix', text: 'the call needs a token that is valid' },
  FORBIDDEN: { retry: 'after-fix', text: 'the token does not allow this' },
  TOO_MANY_GUESSES: { retry: 'after-backoff', text: 'too many calls without a valid token came from this address' },
  TOKEN_EXISTS: { retry: 'after-fix', text: 'there is a token of this name' },
  TOKEN_UNKNOWN: { retry: 'after-fix', text: 'there is no token of this name' },
  REQUEST_INVALID: { retry: 'after-fix', text: 'the request is not valid' },
  REQUEST_TIMED_OUT: { retry: 'after-backoff', text: 'the rest of the request did not come in time' },
  IDEMPOTENCY_KEY_IN_USE: { retry: 'after-backoff', text: 'the first call with this key is still under way' },
  TABLE_TOO_LARGE: { retry: 'after-fix', text: 'the table has more than can be kept at hand' },
  KEY_UNKNOWN: { retry: 'after-fix', text: 'the table has no row of this key' },
  OPERATION_UNKNOWN: { retry: 'after-fix', text: 'there is no operation of this id' },
  SERVER_UNREACHABLE: { retry: 'after-backoff', text: 'the server does not answer' },
  SERVER_STOPPING: { retry: 'after-backoff', text: 'the server is stopping' },
  INTERNAL: { retry: 'never', text: 'the server failed by a mistake of its own' },
  WAIT_TIMED_OUT: { retry: 'after-backoff', text: 'it did not come about in time; what runs on the server goes on' },
  // command line and input files
  USAGE: { retry: 'after-fix', text: 'the command line is not valid' },
  CONFIRMATION_NEEDED: { retry: 'after-fix', text: 'the command was not confirmed' },
  FILE_UNREADABLE: { retry: 'after-fix', text: 'the file can not be read' },
  FILE_UNWRITABLE: { retry: 'after-fix', text: 'the file can not be written' },
  INGEST_SOURCE_CHANGED: { retry: 'after-fix', text: 'a source of this id was taken in with other content' },
} as const satisfies Record<string, ErrorKind>

export type ErrorCode = keyof typeof table
export const errorTable: Readonly<Record<ErrorCode, ErrorKind>> = table

export type ErrorDetails = Readonly<Record<string, unknown>>

/** A fact of life with a code, the values seen and, where there is one, the way out. */
export class StreamError extends Error {
  readonly code: ErrorCode
  readonly retry: Retry
  readonly details: ErrorDetails
  /** What the reader can do, in one line. */
  readonly fix: string | undefined
  constructor(code: ErrorCode, details: ErrorDetails = {}, options: { cause?: unknown; fix?: string } = {}) {
    const kind = errorTable[code]
    super(`${code}: ${kind.text}${formatDetails(details)}`, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'StreamError'
    this.code = code
    this.retry = kind.retry
    this.details = details
    this.fix = options.fix ?? kind.fix
  }
}

function formatDetails(details: ErrorDetails): string {
  const shown = Object.entries(details).filter(([, value]) => value !== undefined)
  if (shown.length === 0) return ''
  return ` (${shown.map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`).join(', ')})`
}

/** What is left of an error where it can't go itself: to another thread, to a client. */
export interface ErrorFacts {
  readonly code: ErrorCode
  readonly details: ErrorDetails
  readonly fix?: string | undefined
}

export function factsOf({ code, details, fix }: StreamError): ErrorFacts {
  return { code, details, fix }
}

export function errorOf({ code, details, fix }: ErrorFacts): StreamError {
  return new StreamError(code, details, fix === undefined ? {} : { fix })
}

/** The code, if it is one of ours: job code may throw anything. */
export function knownCode(code: string): ErrorCode | undefined {
  return Object.hasOwn(table, code) ? (code as ErrorCode) : undefined
}

export function codeOf(error: unknown): ErrorCode | undefined {
  return error instanceof StreamError ? error.code : undefined
}
