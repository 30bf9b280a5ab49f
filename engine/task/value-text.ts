/** A value as JSON for people to read: what JSON can't hold is written as text. Never throws. */
export function valueText(value: unknown): string {
  try {
    return JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? String(part) : part)) ?? String(value)
  } catch (error) {
    return `[not representable: ${String(error)}]`
  }
}
