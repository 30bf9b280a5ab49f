/** What an operator can tune. Sizes in bytes, times in milliseconds. */
export interface EmbeddedLogSettings {
  /** A log file is closed and a new one begun at this size. */
  readonly logFileBytes: number
  /** Room made ahead of the end of a log file that grows by little at a time, at once. 0: none. */
  readonly fillAheadBytes: number
  /** Largest commit, and largest group of commits. */
  readonly commitBytesMax: number
  /** Commits that wait for their group, all together; more are refused with LOG_UNAVAILABLE. */
  readonly pendingBytesMax: number
  /** Closed log files not yet rewritten into segments; above it commits wait. */
  readonly rewriteBacklogBytesMax: number
  /** A partition with this much in a log file gets a segment file of its own. */
  readonly ownSegmentBytesMin: number
  /** Mixed segment files are merged when there are this many. */
  readonly mixedSegmentsMax: number
  /** A rewrite joins blocks up to this size; blocks of half of it and more are moved as they are. */
  readonly joinedBlockBytes: number
  /** A quiet frame is written after this long without a commit. */
  readonly quietAfterMs: number
  /** The log does not open when its last append time is further ahead of the wall clock than this. */
  readonly clockAheadMsMax: number
  /** The operator has seen LOG_CLOCK_AHEAD and goes on: append times stand still until the wall clock has caught up. */
  readonly clockAheadAccepted: boolean
  /** Disk space kept back for control operations and edits. */
  readonly reserveBytes: number
  /** The whole log is read and checked in the background, at most so fast. 0: never. */
  readonly scrubBytesPerSecond: number
  /** From the end of one such round to the beginning of the next; the first begins a minute after the start. 0: never. */
  readonly scrubEveryMs: number
  /** Retention and removal of dead files are looked at this often. */
  readonly housekeepingEveryMs: number
}

const mib = 1 << 20

export const embeddedLogDefaults: EmbeddedLogSettings = {
  logFileBytes: 64 * mib,
  fillAheadBytes: mib / 4,
  commitBytesMax: 32 * mib,
  pendingBytesMax: 128 * mib,
  rewriteBacklogBytesMax: 1024 * mib,
  ownSegmentBytesMin: mib,
  mixedSegmentsMax: 8,
  joinedBlockBytes: 512 << 10,
  quietAfterMs: 1000,
  clockAheadMsMax: 3_600_000,
  clockAheadAccepted: false,
  reserveBytes: 16 * mib,
  scrubBytesPerSecond: 4 * mib,
  scrubEveryMs: 24 * 3_600_000,
  housekeepingEveryMs: 60_000,
}
