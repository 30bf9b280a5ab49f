/** Bounds of one task's loop. Every queue has one (law L8). */
export interface RuntimeSettings {
  /** Records a slice takes at most, over all its inputs. */
  readonly sliceRecordsMax: number
  /** Bytes read ahead an input; a chunk more while one is being read. */
  readonly readAheadBytesMax: number
  /** Bytes asked for in one read. */
  readonly chunkBytes: number
  /** Results a slice emits before the rest waits for the next one. */
  readonly outputsMax: number
  /** Commits under way at once. */
  readonly commitsInFlightMax: number
  /** A partition waits once it is this much event time ahead of the slowest one that has data. */
  readonly maxDriftMs: number
  readonly checkpointEveryMs: number
  /** Time for checkpoint work between two slices. */
  readonly stepMs: number
  /** First pause before a task is recovered after a failure; doubles up to a hundredfold. */
  readonly retryBackoffMs: number
  /** Failures in a row, without a commit in between, after which the job fails. A full disk, and a log that can't be used for now, don't count. */
  readonly failuresMax: number
  /** State that job code changes in place, without putting it back, is an error: for tests, since looking costs time. */
  readonly strict?: boolean
}

export const defaultRuntimeSettings: RuntimeSettings = {
  sliceRecordsMax: 16_384,
  readAheadBytesMax: 4 << 20,
  chunkBytes: 1 << 20,
  outputsMax: 65_536,
  commitsInFlightMax: 4,
  maxDriftMs: 60_000,
  checkpointEveryMs: 10_000,
  stepMs: 2,
  retryBackoffMs: 50,
  failuresMax: 10,
}
