/** White space of JSON. */
export function isSpace(byte: number): boolean {
  return byte === 32 || byte === 10 || byte === 13 || byte === 9
}

/** Without the white space around it, and where it begins a text (`first`) without the byte order mark. */
export function trimmed(bytes: Uint8Array, first: boolean): Uint8Array {
  let from = first && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
  let to = bytes.length
  while (from < to && isSpace(bytes[from]!)) from++
  while (to > from && isSpace(bytes[to - 1]!)) to--
  return bytes.subarray(from, to)
}
