/** Log and segment files share one row of numbers, so that no number ever names two files. */
export const logFileName = (number: number): string => `${pad(number)}.log`
export const segmentFileName = (number: number): string => `${pad(number)}.segment`
export const reserveFileName = 'reserve'

export interface ParsedName {
  readonly number: number
  readonly kind: 'log' | 'segment'
}

/** @returns undefined for a name that is not ours: such a file is never touched. */
export function parseFileName(name: string): ParsedName | undefined {
  const match = /^(\d{10})\.(log|segment)$/.exec(name)
  return match ? { number: Number(match[1]), kind: match[2] as ParsedName['kind'] } : undefined
}

function pad(number: number): string {
  return String(number).padStart(10, '0')
}
