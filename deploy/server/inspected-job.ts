import * as z from 'zod'
import { codeOf } from '../../engine/errors.ts'
import { outputTopics, type TopicDefinition, type Topology } from '../../engine/model/topology.ts'
import { stagesOfSources } from '../../engine/runtime/plan.ts'
import { fingerprint } from '../../operators/fingerprint.ts'
import { type Described, describedOf } from '../cli/describe-text.ts'

/** What the server knows of a job's code without running it in its own thread. */
export interface InspectedJob {
  readonly job: string
  readonly described: Described
  readonly fingerprint: string
  readonly sources: readonly InspectedTopic[]
  readonly outputs: readonly InspectedTopic[]
  /** See stagesOfSources; undefined: it can't be run with more than one task. */
  readonly stages: Readonly<Record<string, number>> | undefined
}

export interface InspectedTopic {
  readonly name: string
  readonly kind: 'stream' | 'table'
  readonly codec: string
  /** Of its values, where the codec has a schema that can be said so. */
  readonly schema: object | undefined
  /** Whether event time is told from values, or as its records were written with. */
  readonly timeFrom: 'values' | 'records'
  readonly outOfOrdernessMs: number
  readonly idleAfterMs: number | undefined
  readonly maxFutureMs: number
  readonly partitions: number | undefined
  readonly keep: TopicDefinition['keep']
}

export function inspectJob(topology: Topology, sha256: string): InspectedJob {
  return {
    job: topology.job,
    described: describedOf(topology, sha256),
    fingerprint: fingerprint(topology),
    sources: eachOnce(topology.nodes.flatMap((node) => (node.kind === 'source' ? [node.topic] : []))),
    outputs: eachOnce(outputTopics(topology)),
    stages: stagesOf(topology),
  }
}

function stagesOf(topology: Topology): InspectedJob['stages'] {
  try {
    return stagesOfSources(topology)
  } catch (error) {
    // A stage that would feed itself: such a job runs as one task.
    if (codeOf(error) === 'JOB_INVALID') return undefined
    throw error
  }
}

function eachOnce(topics: readonly TopicDefinition[]): InspectedTopic[] {
  const byName = new Map(topics.map((topic) => [topic.name, topic]))
  return [...byName.values()].map((topic) => ({
    name: topic.name,
    kind: topic.kind,
    codec: topic.codec.name,
    schema: schemaOf(topic),
    timeFrom: topic.eventTime === undefined ? 'records' : 'values',
    outOfOrdernessMs: topic.outOfOrdernessMs,
    idleAfterMs: topic.idleAfterMs,
    maxFutureMs: topic.maxFutureMs,
    partitions: topic.partitions,
    keep: topic.keep,
  }))
}

function schemaOf({ codec }: TopicDefinition): object | undefined {
  if (!('schema' in codec)) return undefined
  // Another copy of zod may have made it: what it says is read, not what it is an instance of.
  return z.toJSONSchema(codec.schema as z.ZodType, { unrepresentable: 'any' })
}
