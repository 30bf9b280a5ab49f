import { StreamError } from '../../engine/errors.ts'

const units = ['kB', 'MB', 'GB', 'TB'] as const

/** `12.3 MB`; of 1000 and so on. */
export function bytesText(bytes: number): string {
  if (bytes < 1000) return `${Math.ceil(bytes)} B`
  const power = Math.min(units.length, Math.floor(Math.log10(bytes) / 3))
  return `${Number((bytes / 1000 ** power).toPrecision(3))} ${units[power - 1]}`
}

/** `500MB`, `1.5GB`; of 1000 and so on. USAGE. */
export function bytesOfText(flag: string, text: string): number {
  const found = /^(\d+(?:\.\d+)?) ?(B|kB|MB|GB|TB)$/.exec(text)
  const bytes = found === null ? 0 : Math.round(Number(found[1]) * 1000 ** ['B', ...units].indexOf(found[2]!))
  if (bytes >= 1) return bytes
  throw new StreamError('USAGE', { reason: `${flag} ${text}: not a size` }, { fix: `for example ${flag} 500MB, 10GB` })
}
