import type { BlockView } from '../block/block-view.ts'
import type { BadRecord } from '../codec/codec.ts'
import type { Offset } from '../model/record.ts'

/** Some consecutive records of one block, decoded. */
export interface DecodedRun {
  readonly block: BlockView
  /** Of the first record: in the block, and in the log. */
  readonly first: number
  readonly firstOffset: Offset
  readonly count: number
  readonly values: unknown[]
  /** Event times; -Infinity for a bad record, so that it waits for nothing. */
  readonly times: Float64Array
  /** By position in the run. */
  readonly bad: Map<number, BadRecord> | undefined
  /** How many were taken by slices. */
  taken: number
}

/** Turns records [first, first + count) of a block into values and event times. Pure; never throws for bad bytes. */
export type RunDecoder = (block: BlockView, first: number, count: number) => DecodedRun
