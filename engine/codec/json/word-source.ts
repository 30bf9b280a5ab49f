/**
 * Source text that compares or writes fixed bytes 8, 4 or 1 at a time. Words are little-endian by the DataView's own argument,
 * so the text works on every host.
 */
const encoder = new TextEncoder()

/** An expression: the bytes at `at` are those of `text` (as UTF-8). It reads no byte after them. */
export function sameBytes(text: string | Uint8Array, at: string): string {
  const bytes = typeof text === 'string' ? encoder.encode(text) : text
  return words(bytes)
    .map(({ offset, size, value }) =>
      size === 1 ? `b[${at}+${offset}]===${value}` : `view.get${size === 8 ? 'Float64' : 'Int32'}(${at}+${offset},true)===${value}`,
    )
    .join('&&')
}

/** Statements that write the bytes of `text` at `at`. */
export function writeBytes(text: string, at: string): string {
  return words(encoder.encode(text))
    .map(({ offset, size, value }) =>
      size === 1 ? `b[${at}+${offset}]=${value};` : `view.set${size === 8 ? 'Float64' : 'Int32'}(${at}+${offset},${value},true);`,
    )
    .join('')
}

export function byteLength(text: string): number {
  return encoder.encode(text).length
}

interface Word {
  readonly offset: number
  readonly size: 1 | 4 | 8
  readonly value: number
}

function words(bytes: Uint8Array): Word[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const found: Word[] = []
  let at = 0
  while (at < bytes.length) {
    const rest = bytes.length - at
    // the last word may overlap the one before it
    if (rest > 4 && bytes.length >= 8) at = eight(view, Math.min(at, bytes.length - 8), found)
    else if (bytes.length >= 4) at = four(view, Math.min(at, bytes.length - 4), found)
    else found.push({ offset: at, size: 1, value: bytes[at++] as number })
  }
  return found
}

function eight(view: DataView, at: number, found: Word[]): number {
  const value = view.getFloat64(at, true)
  // NaN differs from itself and two zeros are equal: those need whole numbers (they take bytes that are not ASCII)
  if (Number.isFinite(value) && value !== 0) {
    found.push({ offset: at, size: 8, value })
    return at + 8
  }
  return four(view, at, found)
}

function four(view: DataView, at: number, found: Word[]): number {
  found.push({ offset: at, size: 4, value: view.getInt32(at, true) })
  return at + 4
}
