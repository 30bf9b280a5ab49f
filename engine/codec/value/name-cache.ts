const slots = 4096
const lengthMax = 32

/**
 * Property names are few and come again and again: found by their bytes, they are not made anew for each object.
 * Owned by one thread, like everything in a module; holds at most 4,096 names.
 */
const names: (string | undefined)[] = new Array(slots).fill(undefined)

/** The text of one-byte characters at bytes[from, to). */
export function nameAt(bytes: Buffer, from: number, to: number): string {
  if (to - from > lengthMax) return bytes.latin1Slice(from, to)
  let hash = to - from
  for (let p = from; p < to; p++) hash = (Math.imul(hash, 31) + bytes[p]!) | 0
  const slot = (hash ^ (hash >>> 12)) & (slots - 1)
  const known = names[slot]
  if (known !== undefined && same(known, bytes, from, to)) return known
  const name = bytes.latin1Slice(from, to)
  names[slot] = name
  return name
}

function same(name: string, bytes: Buffer, from: number, to: number): boolean {
  if (name.length !== to - from) return false
  for (let i = 0; i < name.length; i++) if (name.charCodeAt(i) !== bytes[from + i]) return false
  return true
}
