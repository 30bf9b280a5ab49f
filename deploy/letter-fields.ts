import type { LogRecord } from '../engine/model/record.ts'
import type { DeadLetter } from '../replay/dead-letters.ts'
import { bytesField, timeText, valueField } from './cli/record-fields.ts'

/** A dead letter as JSON. */
export interface LetterFields {
  readonly id: number
  readonly state: 'open' | 'retried' | 'dropped'
  readonly decidedAt?: string | null
  readonly source: { readonly topic: string; readonly partition: number; readonly offset: number } | null
  readonly code: string
  readonly path: string
  readonly operator: string
  readonly message: string
  readonly setAsideAt: string | null
  readonly eventTime: string | null
  readonly key: unknown
  readonly value: unknown
  /** False: the value is what the operator was given, not the source record's bytes. */
  readonly original: boolean
  /** Of one that is shown alone: the source record's bytes where the value is not them, as long as the log has them. */
  readonly sourceValue?: unknown
  readonly headers: readonly (readonly [name: string, value: unknown])[]
}

/** @param from the source record of a letter that does not hold its bytes. */
export function fieldsOf(
  { id, code, path, message, operator, source, derived, setAsideAt, record, decision }: DeadLetter,
  from?: LogRecord,
): LetterFields {
  return {
    id,
    state: decision?.type ?? 'open',
    ...(decision === undefined ? {} : { decidedAt: timeText(decision.at) }),
    source: source ?? null,
    code,
    path,
    operator,
    message,
    setAsideAt: timeText(setAsideAt),
    eventTime: timeText(record.eventTime),
    key: bytesField(record.key),
    value: valueField(record.value),
    original: !derived,
    ...(from === undefined ? {} : { sourceValue: valueField(from.value) }),
    headers: record.headers.filter(({ name }) => !name.startsWith('reprise.')).map(({ name, value }) => [name, bytesField(value)] as const),
  }
}
