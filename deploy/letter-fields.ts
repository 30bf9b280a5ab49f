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
  readonly headers: readonly (readonly [name: string, value: unknown])[]
}

export function fieldsOf({ id, code, path, message, operator, source, derived, setAsideAt, record, decision }: DeadLetter): LetterFields {
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
    headers: record.headers.filter(({ name }) => !name.startsWith('reprise.')).map(({ name, value }) => [name, bytesField(value)] as const),
  }
}
