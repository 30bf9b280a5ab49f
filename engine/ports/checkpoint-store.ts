/**
 * Durable files of checkpoints, by name. Names are flat: [A-Za-z0-9._-]. Adapters: a directory, memory.
 */
export interface CheckpointStore {
  /** Whole and durable when it resolves, or not there at all; an existing name is replaced. Read back and compared before it resolves. */
  put(name: string, parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void>
  /** Reads [position, position + length) or less at the end; null when there is no such name. */
  read(name: string, position: number, length: number): Promise<Uint8Array | null>
  size(name: string): Promise<number | null>
  /** All names, sorted. */
  list(): Promise<readonly string[]>
  remove(name: string): Promise<void>
}

/**
 * Point reads by bytes below the memory of a store (classic-level in production). A cache: may be lost or damaged at any time, see design part 6.
 */
export interface SpillStore {
  /** Synchronous point read. */
  get(key: Uint8Array): Uint8Array | undefined
  /** Not durable until said otherwise; applied in order. */
  batch(puts: readonly { key: Uint8Array; value: Uint8Array | null }[]): Promise<void>
  /** Removes everything. */
  clear(): Promise<void>
  close(): Promise<void>
}
