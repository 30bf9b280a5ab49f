/** Memory of an entry beside its value: the entry, its place in a map. */
const entryBytes = 130
/** A value in memory against its encoded bytes: headers, boxed numbers, names are shared. */
const growth = 2

/** Counts of one store, and what its values weigh on average; all sizes are estimates. */
export class StoreMeter {
  /** Live entries in memory. */
  inMemory = 0
  /** Live entries that are below memory only. */
  cold = 0
  /** Changes of the live generation. */
  dirty = 0
  /** Changes of older generations that must stay in memory. */
  held = 0
  private encodedBytes = 32

  get bytesEach(): number {
    return entryBytes + growth * this.encodedBytes
  }

  /** All live entries. */
  get keys(): number {
    return this.inMemory + this.cold
  }

  /** A value was encoded in so many bytes. */
  saw(bytes: number): void {
    this.encodedBytes += (bytes - this.encodedBytes) / 64
  }
}

/** Memory of so many entries with values of so many encoded bytes. */
export function estimateBytes(entries: number, encodedBytes: number): number {
  return entries * entryBytes + growth * encodedBytes
}
