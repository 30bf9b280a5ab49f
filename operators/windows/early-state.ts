import { compareKeys, type EpochMs, type Key } from '../../engine/model/record.ts'
import type { Operator, TaskTime } from '../../engine/task/operator.ts'
import type { Accumulator } from '../aggregates/compile.ts'
import type { WindowInfo } from './spec.ts'

/** A window operator that can be asked what its windows hold. */
export interface OpenWindows extends Operator {
  advance(time: TaskTime): boolean
  save(): unknown
  load(saved: unknown): void
  nextProcessingDue(): EpochMs
  /** What the window has at present; undefined without records. Not to be changed or kept. */
  value(window: WindowInfo): Accumulator | undefined
}

/** What was given last for a window that is still open: a copy of its accumulator, from which the same row comes again when it is taken back. */
export interface Standing {
  readonly window: WindowInfo
  readonly acc: Accumulator
}

/**
 * Which windows have changed, and which early results stand: the part of early results that differs by kind of window.
 * Owns: the stores `<name>.changed` and `<name>.early`.
 */
export interface EarlyState {
  /** A record of `key` came, which may have changed the windows it counts in. */
  mark(at: EpochMs, key: Key): void
  readonly marked: boolean
  /** The windows of the marks that end after `now`, in canonical order. Valid while nothing is marked. */
  changed(now: EpochMs): Iterator<WindowInfo, undefined>
  /** Forgets all marks. */
  clear(): void
  /** Forgets the marks of windows that are over. */
  forget(now: EpochMs): void
  /** Forgets what the final result of `window` settles. */
  settle(window: WindowInfo): void
  /** The results that stand for windows which are `window` now. */
  standing(window: WindowInfo): readonly Standing[]
  /** `acc` stands for `window` in place of those; undefined: nothing does. */
  stand(window: WindowInfo, acc: Accumulator | undefined): void
  /** No result that stands is of a window that ends before. */
  readonly earliestEnd: EpochMs
  /** The first window, in canonical order, that has come to its end with an early result standing. Asked again once that was replaced. */
  overdue(now: EpochMs): WindowInfo | undefined
  /** The open window that a window has become, if it has become another. */
  grownFrom(window: WindowInfo): WindowInfo | undefined
  /** Builds what is derived from the stores. */
  open(): void
}

/** The canonical order of windows: end, key, start. */
export function compareWindows(a: WindowInfo, b: WindowInfo): number {
  return a.end - b.end || compareKeys(a.key, b.key) || a.start - b.start
}
