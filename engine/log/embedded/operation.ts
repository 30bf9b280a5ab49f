import type { EpochMs, Offset } from '../../model/record.ts'
import type { TopicInfo } from '../../ports/log.ts'
import { logFileName, segmentFileName } from './file-names.ts'
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

/** A closed log file; what stands behind its exact end does not exist. */
export interface ClosedLog {
  readonly number: number
  readonly end: number
}

export interface SegmentInfo {
  readonly number: number
  /** Of its own file. */
  readonly bytes: number
  /** The log file its blocks have stayed in; its own file says where. Absent: its own file holds them. */
  readonly blocksIn?: ClosedLog
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
  /** Of the same id: what it keeps. */
  | { readonly op: 'setTopic'; readonly topic: TopicInfo }
  | { readonly op: 'deleteTopic'; readonly topic: number }
  | { readonly op: 'producer'; readonly name: string; readonly number: number; readonly epoch: number }
  /** Nothing is kept of it; its number is never used again. */
  | { readonly op: 'forgetProducer'; readonly number: number }
  | { readonly op: 'trim'; readonly starts: readonly NewStart[] }
  /** Files leave the list and others take their place. */
  | { readonly op: 'files'; readonly out: readonly number[]; readonly in: readonly SegmentInfo[] }

/** The file that holds the blocks of a segment. */
export function blocksFileName({ number, blocksIn }: Pick<SegmentInfo, 'number' | 'blocksIn'>): string {
  return blocksIn ? logFileName(blocksIn.number) : segmentFileName(number)
}

/** All its files. */
export function filesOf({ number, blocksIn }: Pick<SegmentInfo, 'number' | 'blocksIn'>): string[] {
  return [segmentFileName(number), ...(blocksIn ? [logFileName(blocksIn.number)] : [])]
}

/** Of all its files. */
export function bytesOnDisk({ bytes, blocksIn }: SegmentInfo): number {
  return bytes + (blocksIn?.end ?? 0)
}

/** The files that a frame takes off the list. */
export function filesTakenOut(bytes: Buffer, at: number, frame: FrameHead): readonly number[] {
  if (frame.kind !== frameKind.edit) return []
  const operation = readDetail(bytes, at, frame) as Operation
  return operation.op === 'files' ? operation.out : []
}
