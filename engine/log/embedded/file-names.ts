/**
 * Log and segment files share one row of numbers, so that no number ever names two files. A log file is called `begun` until its head is
 * durable: under the name of a log file stands, from the first moment, one with a head.
 */
export const logFileName = (number: number): string => `${pad(number)}.log`
export const begunFileName = (number: number): string => `${pad(number)}.begun`
export const segmentFileName = (number: number): string => `${pad(number)}.segment`
export const reserveFileName = 'reserve'

export interface ParsedName {
  readonly number: number
  readonly kind: 'log' | 'segment' | 'begun'
}

/** @returns undefined for a name that is not ours: such a file is never touched. */
export function parseFileName(name: string): ParsedName | undefined {
  const match = /^(\d{10})\.(log|segment|begun)$/.exec(name)
  return match ? { number: Number(match[1]), kind: match[2] as ParsedName['kind'] } : undefined
}

/** The number of the newest log file: the one whose head says what the log contains. */
export function newestLog(names: readonly string[]): number | undefined {
  const numbers = names.map(parseFileName).flatMap((name) => (name?.kind === 'log' ? [name.number] : []))
  return numbers.length === 0 ? undefined : Math.max(...numbers)
}

function pad(number: number): string {
  return String(number).padStart(10, '0')
}
