import type { Codec } from '../codec/codec.ts'
import type { OperatorFactory } from '../task/operator.ts'
import type { EpochMs, Key } from './record.ts'

/** What becomes of a record that can't be processed. */
export type BadRecordPolicy = 'fail' | 'skip' | 'deadLetter'

/** What a job's author sees of the record being handled. Valid during the call only. */
export interface RecordInfo {
  readonly key: Key | undefined
  readonly eventTime: EpochMs
  readonly appendTime: EpochMs
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Header values as text, by name; the last wins. */
  readonly headers: Readonly<Record<string, string>>
}

/** A topic as a job declares it. */
export interface TopicDefinition {
  readonly name: string
  readonly kind: 'stream' | 'table'
  readonly codec: Codec<unknown>
  /** Key of an output record; absent: the key of the record at hand. */
  readonly key: ((value: unknown) => Key | null) | undefined
  /** Absent: the event time the record was written with. */
  readonly eventTime: ((value: unknown) => EpochMs) | undefined
  readonly outOfOrdernessMs: number
  /** undefined: a partition without data holds time back for ever. */
  readonly idleAfterMs: number | undefined
  readonly maxFutureMs: number
  /** Partitions to create it with, when it does not exist. */
  readonly partitions: number | undefined
  /** What it keeps, when it is created. */
  readonly keep: { readonly retentionMs?: number; readonly retentionBytes?: number; readonly compacted?: boolean }
}

/** Windows end at the multiples of `everyMs` since epoch 0. */
export interface WindowEnds {
  readonly everyMs: number
  readonly time: 'event' | 'processing'
}

interface NodeBase {
  /** Position in Topology.nodes; inputs come before their readers. */
  readonly id: number
  /** Unique in the job. Given by the author for stateful operators, else made from kind and position. */
  readonly name: string
  /** For `describe`: `tumbling 1d, allowed lateness 1h`. */
  readonly detail: string
}
export interface SourceNode extends NodeBase {
  readonly kind: 'source'
  readonly topic: TopicDefinition
  readonly onBad: BadRecordPolicy
}
export interface KeyByNode extends NodeBase {
  readonly kind: 'keyBy'
  readonly input: number
  readonly key: (value: unknown, record: RecordInfo) => Key
  readonly onBad: BadRecordPolicy
}
/** State of a process: a value of each key, or one for each second key; without `ttlMs` it stays. */
export interface KeptState {
  readonly kind: 'value' | 'map'
  readonly ttlMs: number | undefined
}
export interface OperatorNode extends NodeBase {
  readonly kind: 'operator'
  /** map, filter, window, process ... for `describe` and the topology's fingerprint. */
  readonly type: string
  readonly inputs: readonly number[]
  readonly make: OperatorFactory
  readonly onBad: BadRecordPolicy
  /** Names of its stores. Empty: stateless. */
  readonly stores: readonly string[]
  /** Its results depend on the order of arrival (outside law L3). */
  readonly orderDependent: boolean
  /** It fires by processing time. */
  readonly processingTime: boolean
  /** Of windows of a fixed size that give one result each, when they end. */
  readonly windowEnds?: WindowEnds
  /** Of a process: what it keeps for each key, by name. */
  readonly states?: Readonly<Record<string, KeptState>>
  /** Topics its late records and side outputs go to, by port; such a topic is written with its own codec. */
  readonly sideOutputs: Readonly<Record<string, TopicDefinition>>
}
export interface SinkNode extends NodeBase {
  readonly kind: 'sink'
  readonly input: number
  readonly topic: TopicDefinition
  readonly onBad: BadRecordPolicy
}
export type TopologyNode = SourceNode | KeyByNode | OperatorNode | SinkNode

/** A job as the builder made it: pure data and functions, nothing started. */
export interface Topology {
  readonly job: string
  readonly nodes: readonly TopologyNode[]
}

/** Ids of the nodes it reads. */
export function inputsOfNode(node: TopologyNode): readonly number[] {
  if (node.kind === 'source') return []
  return node.kind === 'operator' ? node.inputs : [node.input]
}

/** What a job writes for others: the topics of its sinks and of its side outputs. */
export function outputTopics({ nodes }: Topology): TopicDefinition[] {
  return nodes.flatMap((node) => {
    if (node.kind === 'sink') return [node.topic]
    return node.kind === 'operator' ? Object.values(node.sideOutputs) : []
  })
}
