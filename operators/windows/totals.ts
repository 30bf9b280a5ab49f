import type { EpochMs, Key } from '../../engine/model/record.ts'
import type { Accumulator } from '../aggregates/compile.ts'
import type { KeyRun, LiveKeys } from './live-keys.ts'
import type { ApartPart } from './pane-store.ts'

/** The panes [from, to) of the window that ends at `end`; between two windows: those of the next one that have entered. */
export interface PaneRange {
  from: number
  to: number
  end: EpochMs
}

/**
 * The accumulator of each key over the panes of a window, without merging them all at each firing. Derived: `refresh` makes it from the panes alone,
 * and what came about step by step equals that to the last bit.
 */
export interface Totals<R extends KeyRun> {
  newRun(key: Key): R
  /** A pane is about to enter; `live` has the keys of the panes before it. */
  paneEnters(pane: number, live: readonly R[], keysOf: (pane: number) => readonly R[]): void
  enter(run: R, acc: Accumulator): void
  /** @param cell, parts what the pane has of the key. */
  leave(run: R, pane: number, cell: Accumulator | undefined, parts: readonly ApartPart[] | undefined): void
  refresh(run: R): void
  /** No pane has the key. */
  empty(run: R): boolean
  /**
   * Totals of the live keys from place `first` on, as many as `batch` has room for: undefined where no pane has the key. Not to be changed or kept.
   * @returns how many.
   */
  gather(live: LiveKeys<R>, first: number, batch: (Accumulator | undefined)[]): number
}
