import { StreamError } from '../../engine/errors.ts'
import { durationMs } from '../../operators/duration.ts'

/** `500ms`, `5s`, `24h`. USAGE. */
export function durationOf(flag: string, text: string): number {
  try {
    return durationMs(text, flag, 0)
  } catch (cause) {
    throw new StreamError('USAGE', { reason: `${flag} ${text}: not a duration` }, { cause, fix: `for example ${flag} 5s, 10m, 24h` })
  }
}
