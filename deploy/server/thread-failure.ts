import { StreamError } from '../../engine/errors.ts'
import type { Place } from '../../replay/control-event.ts'
import type { ThreadFailure } from './version-messages.ts'

/** Why a version's thread ends. Pure. */
export function failureOf(error: unknown): ThreadFailure {
  if (!(error instanceof StreamError)) return { code: 'VERSION_CRASHED', message: error instanceof Error ? error.message : String(error) }
  const { code, message, details } = error
  return { code, message, record: code === 'OFFSET_OUT_OF_RANGE' ? undefined : placeIn(details) }
}

function placeIn({ topic, partition, offset }: StreamError['details']): Place | undefined {
  if (typeof topic !== 'string' || typeof partition !== 'number' || typeof offset !== 'number') return undefined
  return { topic, partition, offset }
}
