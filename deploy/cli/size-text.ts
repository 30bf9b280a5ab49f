const units = ['kB', 'MB', 'GB', 'TB'] as const

/** `12.3 MB`; of 1000 and so on. */
export function bytesText(bytes: number): string {
  if (bytes < 1000) return `${Math.ceil(bytes)} B`
  const power = Math.min(units.length, Math.floor(Math.log10(bytes) / 3))
  return `${Number((bytes / 1000 ** power).toPrecision(3))} ${units[power - 1]}`
}
