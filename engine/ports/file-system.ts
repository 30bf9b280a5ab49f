/**
 * The few file operations that durable storage needs; the real one is node:fs, the simulated one forgets what was not synced.
 * Names are relative to one directory, flat (no separators). Errors: DISK_FULL for lack of space, FILE_UNREADABLE for a missing file, else the cause as is.
 */
export interface FileSystem {
  list(): Promise<readonly string[]>
  /** Opens an existing file for reading. */
  open(name: string): Promise<ReadFile>
  /** Creates a file that must not exist. The entry is durable only after syncDirectory. */
  create(name: string, options?: CreateOptions): Promise<WriteFile>
  rename(from: string, to: string): Promise<void>
  remove(name: string): Promise<void>
  syncDirectory(): Promise<void>
}

export interface CreateOptions {
  /** Each write is to be durable soon after: the file system may make it so at once, where that is faster than a `sync` behind it. */
  readonly syncOnWrite?: boolean
}

export interface ReadFile {
  size(): Promise<number>
  /** Fills `into` from `position`; @returns the bytes read (less only at the end of the file). */
  read(into: Uint8Array, position: number): Promise<number>
  close(): Promise<void>
}

export interface WriteFile extends ReadFile {
  /** Not durable until `sync`. */
  write(bytes: Uint8Array, position: number): Promise<void>
  /** Durable when it resolves. After a failure nothing may be assumed of the file; never retried. */
  sync(): Promise<void>
  truncate(size: number): Promise<void>
  /**
   * Makes [from, to), behind the end, zeros that have their place on the disk, so that writing there later is faster. Others may write and
   * sync elsewhere in the file meanwhile; a failure other than DISK_FULL counts for what they wrote too. May do nothing.
   */
  fillAhead(from: number, to: number): Promise<void>
}
