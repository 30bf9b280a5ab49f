import type { Row, RowResult } from './row.ts'

/** One line of JSON: name, recordsPerSecond and ratio (null where the row is not about a rate), further values, limits missed. */
export function jsonLine(row: Row, { recordsPerSecond, ratio, values = {}, missed }: RowResult): string {
  const further = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, rounded(value, 3)]))
  return JSON.stringify({ name: row.name, recordsPerSecond: rounded(recordsPerSecond, 0), ratio: rounded(ratio, 3), ...further, missed })
}

export const tableHead = `${'row'.padEnd(16)}${'records/s'.padStart(12)}${'x bare loop'.padStart(13)}  further`

/** The same for people. */
export function tableLine(row: Row, { recordsPerSecond, ratio, values = {}, missed }: RowResult): string {
  const rate = recordsPerSecond === undefined ? '–' : Math.round(recordsPerSecond).toLocaleString('en-US')
  const times = ratio === undefined ? '–' : ratio.toFixed(2)
  const further = Object.entries(values).map(([name, value]) => `${name} ${shown(value)}`)
  const verdict = missed.length === 0 ? [] : [`MISSED: ${missed.join(', ')}`]
  return `${row.name.padEnd(16)}${rate.padStart(12)}${times.padStart(13)}  ${[...further, ...verdict].join(' · ')}`
}

/** JSON has no NaN: null. */
function rounded(value: number | undefined, digits: number): number | null {
  return value === undefined || !Number.isFinite(value) ? null : Number(value.toFixed(digits))
}

function shown(value: number): string {
  return Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toFixed(2)))
}
