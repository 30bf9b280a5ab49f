/** JSON text that goes into a document as it is: parsed and written again, large numbers and keys given twice would be lost. */
export class RawJson {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** What JSON.stringify gives, with what is raw as it is. */
export function jsonText(data: unknown): string {
  if (data instanceof RawJson) return data.text
  if (typeof data !== 'object' || data === null || 'toJSON' in data) return JSON.stringify(data) ?? 'null'
  if (Array.isArray(data)) return `[${data.map(jsonText).join(',')}]`
  const members = Object.entries(data).filter(([, value]) => value !== undefined)
  return `{${members.map(([name, value]) => `${JSON.stringify(name)}:${jsonText(value)}`).join(',')}}`
}
