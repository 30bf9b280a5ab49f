/** A JSON line of the log as a person reads it: `14:02:11.250 info  checkpoint written  job=orders seq=41`. */
export function lineForPeople(json: string): string {
  const { time, level, msg, ...fields } = JSON.parse(json) as Record<string, unknown>
  const shown = Object.entries(fields).map(([name, value]) => `${name}=${textOf(value)}`)
  const head = `${String(time).slice(11, 23)} ${String(level).padEnd(5)} ${msg}`
  return `${[head, shown.join(' ')].filter(Boolean).join('  ')}\n`
}

function textOf(value: unknown): string {
  if (isError(value)) return value.message
  return typeof value === 'string' && !/[\s"=]/.test(value) && value !== '' ? value : JSON.stringify(value)
}

function isError(value: unknown): value is { message: string } {
  return typeof value === 'object' && value !== null && 'message' in value && typeof value.message === 'string' && 'stack' in value
}
