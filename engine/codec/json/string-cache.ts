/** Strings of up to this many bytes are worth a look-up: making one takes about 100 ns, finding it about 10. */
export const CACHED_BYTES_MAX = 16

const SLOTS = 1 << 11
const WORDS = 4

/**
 * Short ASCII strings by their bytes, so that names, codes and categories are not made anew for each record.
 * A look-up compares the bytes themselves, so what comes back depends on them alone. One string per slot, the last one wins.
 */
export class StringCache {
  private readonly words = new Int32Array(SLOTS * WORDS)
  private readonly texts: string[] = new Array<string>(SLOTS).fill('')

  /** The string of the ASCII bytes [start, end), 1 to 16 and none of them 0; 16 bytes from `start` must be readable. */
  get(bytes: Buffer, view: DataView, start: number, end: number): string {
    const length = end - start
    // bytes after the end are shifted out; no byte of a string is 0, so equal words mean equal strings, length included
    const a = length >= 4 ? view.getInt32(start, true) : view.getInt32(start, true) << ((4 - length) << 3)
    const b = length <= 4 ? 0 : length >= 8 ? view.getInt32(start + 4, true) : view.getInt32(start + 4, true) << ((8 - length) << 3)
    const c = length <= 8 ? 0 : length >= 12 ? view.getInt32(start + 8, true) : view.getInt32(start + 8, true) << ((12 - length) << 3)
    const d = length <= 12 ? 0 : view.getInt32(start + 12, true) << ((16 - length) << 3)
    let hash = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b) ^ Math.imul(c, 0xc2b2ae35) ^ Math.imul(d, 0x27d4eb2f) ^ length
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
    const slot = (hash ^ (hash >>> 13)) & (SLOTS - 1)
    const at = slot * WORDS
    const words = this.words
    if (words[at] === a && words[at + 1] === b && words[at + 2] === c && words[at + 3] === d) return this.texts[slot] as string
    const text = bytes.latin1Slice(start, end)
    words[at] = a
    words[at + 1] = b
    words[at + 2] = c
    words[at + 3] = d
    this.texts[slot] = text
    return text
  }
}
