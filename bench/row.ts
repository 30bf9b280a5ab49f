import type { BareLoop } from './bare-loop.ts'
import type { Profiler } from './profiler.ts'

/** What a row is given. It runs in a process of its own, pinned to one core unless the row says otherwise. */
export interface RowContext {
  /** Fresh directories below this one; removed by the caller. */
  readonly workDir: string
  /** A closed data directory that holds the row's input; not to be written to (see `cloneData`). */
  readonly inputDir: string
  readonly records: number
  readonly repetitions: number
  readonly bare: BareLoop
  /** When a profile is wanted: to be used for the last repetition. */
  readonly profiler: Profiler | undefined
}

export interface RowResult {
  /** Median over the repetitions; absent where a row is not about a rate. */
  readonly recordsPerSecond?: number
  /** Median of recordsPerSecond / the bare loop of the same repetition. */
  readonly ratio?: number
  /** Further values by name, the unit last. */
  readonly values?: Readonly<Record<string, number>>
  /** Met or missed limits, in words: `p99 31 ms > 25 ms`. Empty when all is well. */
  readonly missed: readonly string[]
}

/** What is in the log before the row begins: bids, events of a number of keys, or nothing. */
export type Input =
  | { readonly kind: 'bids'; readonly recordsPerCommit?: number }
  | { readonly kind: 'events'; readonly keys: number }
  | { readonly kind: 'none' }

export interface Row {
  readonly name: string
  readonly about: string
  /** Records of input without --records. */
  readonly records: number
  readonly input: Input
  /** Not pinned: what it measures is how threads get on beside each other. */
  readonly allCores?: true
  run(context: RowContext): Promise<RowResult>
}
