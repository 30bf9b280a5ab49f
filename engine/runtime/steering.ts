import type { EpochMs, Offset } from '../model/record.ts'

/** Next offset to take, by source partition; see `partitionName`. */
export type Positions = ReadonlyMap<string, Offset>

export const partitionName = (topic: string, partition: number): string => `${topic}/${partition}`

/** The offset a version begins with, by source partition (see `partitionName`); 0 for those that are not named. */
export type Starts = Readonly<Record<string, Offset>>

/** The partitions they begin at different places in, by name. */
export function differentStarts(one: Starts, other: Starts): string[] {
  const names = [...new Set([...Object.keys(one), ...Object.keys(other)])].sort()
  return names.filter((name) => (one[name] ?? 0) !== (other[name] ?? 0))
}

/** What a task has committed, as of one slice. */
export interface TaskFacts {
  readonly task: number
  /** Of its version, this one counted. */
  readonly tasks: number
  readonly seq: number
  readonly hash: string
  readonly positions: Positions
  readonly watermark: EpochMs
  /** 0 before the first slice. */
  readonly processing: EpochMs
  /** The hold it stands still for. */
  readonly held: string | undefined
  /** It gives results by event time, by processing time. */
  readonly timed: boolean
  readonly clocked: boolean
  /** From the append of the oldest source record the slice took until what came of it was published; undefined: it took none, or nothing is published. */
  readonly latencyMs?: number | undefined
}

/** What is due by them; -Infinity and 0: nothing is. */
export interface Times {
  readonly watermark: EpochMs
  readonly processing: EpochMs
}

export interface Trail extends Times {
  /** Undefined: not known yet, so nothing may be taken. */
  readonly positions: Positions | undefined
}

/** What a task may do, as of one offset of the control log. */
export interface Orders {
  /** The control log was read up to here. Absent: nobody decides anything. */
  readonly control?: Offset
  /** Results go to the public topics; else to the version's own. */
  readonly publishes: boolean
  /** How far the version that publishes has come: this one goes no further. Partitions it does not read hold nobody back. */
  readonly trail?: Trail
  /** Records of its sources it may take now; below 1: none. Absent: as many as there are. */
  readonly takeMax?: number
  /** Records of sources to pass over: they are set aside as dead letters, unseen. */
  readonly skip?: readonly { readonly topic: string; readonly partition: number; readonly offset: Offset }[]
  /**
   * Stand still, with all taken that the tasks before have given: at once, or at these positions. `retried`: and all that is to be retried.
   * `level`: not before these times have come.
   */
  readonly hold?: { readonly id: string; readonly at?: Positions; readonly retried?: boolean; readonly level?: Times | undefined }
  /** The version publishes from this control record on: what was due before it came was published by the former owner. */
  readonly align?: Times & { readonly control: Offset }
}

/** Tells the tasks of one version what they may do, and is told what they did. Orders change between slices only. */
export interface Steering {
  /** @param upstream tasks whose exchanges it reads. */
  orders(task: number, upstream: readonly number[]): Orders
  /** Absent: nobody asks. */
  report?(task: number, facts: TaskFacts): void
  /** Told of the records of its sources a slice takes, and of the bytes the log needs for them. */
  took?(task: number, records: number, bytes: number): void
  /** Calls `wake` once, when orders change after this call. @returns what takes that back. */
  onChange(wake: () => void): () => void
}

const unsteered: Orders = { publishes: true }

/** A version that is alone: it publishes, and nobody holds it. */
export const noSteering: Steering = {
  orders: () => unsteered,
  onChange: () => () => {},
}
