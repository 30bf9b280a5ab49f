import type { EpochMs, Offset } from '../../model/record.ts'
import type { TopicInfo } from '../../ports/log.ts'
import { type FrameHead, frameKind, readDetail } from './frame.ts'

/** What a segment holds of one partition. */
export interface SegmentRange {
  readonly topic: number
  readonly partition: number
  readonly from: Offset
  readonly to: Offset
  readonly bytes: number
  /** Of its newest record. */
  readonly appendTime: EpochMs
}

export interface SegmentInfo {
  readonly number: number
  readonly bytes: number
  /** Shared by several partitions. */
  readonly mixed: boolean
  readonly ranges: readonly SegmentRange[]
}

export interface NewStart {
  readonly topic: number
  readonly partition: number
  readonly start: Offset
}

/** The detail of an edit frame: what a commit of records can't say. */
export type Operation =
  | { readonly op: 'createTopic'; readonly topic: TopicInfo }
  | { readonly op: 'deleteTopic'; readonly topic: number }
  | { readonly op: 'producer'; readonly name: string; readonly number: number; readonly epoch: number }
  /** Nothing is kept of it; its number is never used again. */
  | { readonly op: 'forgetProducer'; readonly number: number }
  | { readonly op: 'trim'; readonly starts: readonly NewStart[] }
  /** Files leave the list and others take their place. */
  | { readonly op: 'files'; readonly out: readonly number[]; readonly in: readonly SegmentInfo[] }

/** The files that a frame takes off the list. */
export function filesTakenOut(bytes: Buffer, at: number, frame: FrameHead): readonly number[] {
  if (frame.kind !== frameKind.edit) return []
  const operation = readDetail(bytes, at, frame) as Operation
  return operation.op === 'files' ? operation.out : []
}
