const bytesOfOne = 256

/**
 * What a slice may still give before the rest waits for the next one: one for each record, and one more for each 256 bytes of it. So what
 * falls due at once has a bound in bytes, too: 65,536 are at most 16 MiB and the last record.
 */
export interface Budget {
  left: number
}

/** What a record of so many bytes, key and value together, takes of a budget. Pure. */
export function costOf(bytes: number): number {
  return 1 + Math.floor(bytes / bytesOfOne)
}
