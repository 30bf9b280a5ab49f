import { StreamError } from '../errors.ts'
import type { Offset } from '../model/record.ts'
import { inputsOfNode, type KeyByNode, type SourceNode, type Topology, type TopologyNode } from '../model/topology.ts'
import { partitionName, type Starts } from './steering.ts'

/** Re-keyed records on their way from one stage to the next, with watermarks in-band. */
export interface ExchangePlan {
  readonly node: KeyByNode
  readonly topic: string
  readonly fromStage: number
  readonly toStage: number
}

export interface StagePlan {
  readonly index: number
  /** In id order: inputs before readers. */
  readonly nodes: readonly TopologyNode[]
  readonly reads: readonly ExchangePlan[]
  readonly writes: readonly ExchangePlan[]
}

/** One partition a task reads. `ordinal`: of the source among the job's sources (part of a record's rank). `from`: where the version began. */
export type InputPlan =
  | {
      readonly kind: 'source'
      readonly topic: string
      readonly partition: number
      readonly from: Offset
      readonly node: SourceNode
      readonly ordinal: number
    }
  | { readonly kind: 'retry'; readonly topic: string; readonly partition: number; readonly sources: readonly SourceNode[] }
  | {
      readonly kind: 'exchange'
      readonly topic: string
      readonly partition: number
      readonly exchange: ExchangePlan
      readonly upstreamTasks: readonly number[]
    }

export interface TaskPlan {
  /** Its partition of the journal. */
  readonly id: number
  readonly stage: StagePlan
  /** Among its stage's tasks. */
  readonly index: number
  readonly inputs: readonly InputPlan[]
}

/** Topics a version has for itself; names are legal on Kafka and closed to users. */
export interface JobTopics {
  readonly journal: string
  readonly control: string
  readonly retry: string
  readonly deadLetters: string
  readonly late: string
  /** Where records of an output topic go while the version doesn't publish. */
  privately(topic: string): string
}

export interface JobPlan {
  readonly topology: Topology
  readonly version: number
  readonly parallelism: number
  readonly stages: readonly StagePlan[]
  readonly tasks: readonly TaskPlan[]
  readonly exchanges: readonly ExchangePlan[]
  readonly sources: readonly SourceNode[]
  readonly topics: JobTopics
}

/** What the names of a version's tasks begin with. */
export const tasksPrefix = (job: string, version: number): string => `${job}.v${version}.task-`

/** The id of a task's producer, and the name of the folders of its state. */
export const taskName = (job: string, version: number, task: number): string => tasksPrefix(job, version) + task

export function jobTopics(job: string, version: number): JobTopics {
  return {
    journal: `${job}.v${version}.journal`,
    control: `${job}.control`,
    retry: `${job}.v${version}.retry`,
    deadLetters: `${job}.dead-letters`,
    late: `${job}.late`,
    privately: (topic) => `${job}.v${version}.private.${topic}`,
  }
}

/**
 * Cuts a topology into stages at its keyBys (none at parallelism 1) and deals source partitions out among the tasks.
 * @param partitionsOf partitions of each source topic by name. @param starts see Starts. Pure. JOB_INVALID when a stage would feed itself.
 */
export function planJob(
  topology: Topology,
  version: number,
  parallelism: number,
  partitionsOf: (topic: string) => number,
  starts: Starts = {},
): JobPlan {
  const topics = jobTopics(topology.job, version)
  const stageOf = parallelism === 1 ? topology.nodes.map(() => 0) : cutIntoStages(topology)
  const stageCount = Math.max(...stageOf) + 1
  const exchanges = parallelism === 1 ? [] : planExchanges(topology, version, stageOf)
  const stages: StagePlan[] = Array.from({ length: stageCount }, (_, index) => ({
    index,
    nodes: topology.nodes.filter((node) => stageOf[node.id] === index),
    reads: exchanges.filter((exchange) => exchange.toStage === index),
    writes: exchanges.filter((exchange) => exchange.fromStage === index),
  }))
  const sources = topology.nodes.filter((node) => node.kind === 'source')
  const tasks: TaskPlan[] = []
  for (const stage of stages) {
    for (let index = 0; index < parallelism; index++) {
      tasks.push({ id: stage.index * parallelism + index, stage, index, inputs: [] })
    }
  }
  const planned = tasks.map((task) => ({ ...task, inputs: inputsOf(task) }))
  return { topology, version, parallelism, stages, tasks: planned, exchanges, sources, topics }

  function inputsOf(task: TaskPlan): InputPlan[] {
    const inputs: InputPlan[] = []
    const own = sources.filter((node) => stageOf[node.id] === task.stage.index)
    for (const node of own) {
      const topic = node.topic.name
      for (const partition of partitionsOfTask(task.index, parallelism, partitionsOf(topic))) {
        const from = starts[partitionName(topic, partition)] ?? 0
        inputs.push({ kind: 'source', topic, partition, from, node, ordinal: sources.indexOf(node) })
      }
    }
    if (own.length > 0 && task.index === 0) inputs.push({ kind: 'retry', topic: topics.retry, partition: task.stage.index, sources: own })
    for (const exchange of task.stage.reads) {
      const upstreamTasks = tasks.filter((other) => other.stage.index === exchange.fromStage).map((other) => other.id)
      inputs.push({ kind: 'exchange', topic: exchange.topic, partition: task.index, exchange, upstreamTasks })
    }
    return inputs
  }
}

/** Of a source topic with so many, those that one task of a stage reads. Source by source they are the first inputs of the task. Pure. */
export function partitionsOfTask(index: number, parallelism: number, partitions: number): number[] {
  const own: number[] = []
  for (let partition = index; partition < partitions; partition += parallelism) own.push(partition)
  return own
}

/** By source topic: the stage that reads it where there is more than one task. Pure. JOB_INVALID as planJob. */
export function stagesOfSources(topology: Topology): Record<string, number> {
  const stageOf = cutIntoStages(topology)
  return Object.fromEntries(topology.nodes.flatMap((node) => (node.kind === 'source' ? [[node.topic.name, stageOf[node.id]!]] : [])))
}

/** Nodes that are joined by anything but a keyBy share a stage; stages are numbered so that exchanges lead upwards. */
function cutIntoStages(topology: Topology): number[] {
  const group = topology.nodes.map((node) => node.id)
  const find = (id: number): number => (group[id] === id ? id : find(group[id]!))
  for (const node of topology.nodes) {
    for (const input of inputsOfNode(node)) {
      // A keyBy belongs to the stage that writes the exchange; who reads it begins the next one. Its readers are joined with each other.
      if (topology.nodes[input]!.kind !== 'keyBy') group[find(node.id)] = find(input)
    }
  }
  for (const keyBy of topology.nodes.filter((node) => node.kind === 'keyBy')) {
    const readers = topology.nodes.filter((node) => inputsOfNode(node).includes(keyBy.id))
    for (const reader of readers) group[find(reader.id)] = find(readers[0]!.id)
  }
  const depth = new Map<number, number>()
  for (let round = 0; ; round++) {
    if (round > topology.nodes.length) {
      throw new StreamError(
        'JOB_INVALID',
        { job: topology.job, reason: 'a stage feeds itself: a re-keyed stream is merged with one it comes from' },
        { fix: 'run the job with parallelism 1, or split the merge into two outputs' },
      )
    }
    let changed = false
    for (const node of topology.nodes) {
      const own = find(node.id)
      for (const input of inputsOfNode(node)) {
        if (topology.nodes[input]!.kind !== 'keyBy') continue
        const least = (depth.get(find(input)) ?? 0) + 1
        if ((depth.get(own) ?? 0) < least) {
          depth.set(own, least)
          changed = true
        }
      }
    }
    if (!changed) break
  }
  const roots = [...new Set(topology.nodes.map((node) => find(node.id)))].sort((a, b) => (depth.get(a) ?? 0) - (depth.get(b) ?? 0) || a - b)
  return topology.nodes.map((node) => roots.indexOf(find(node.id)))
}

function planExchanges(topology: Topology, version: number, stageOf: readonly number[]): ExchangePlan[] {
  const exchanges: ExchangePlan[] = []
  for (const node of topology.nodes) {
    if (node.kind !== 'keyBy') continue
    const reader = topology.nodes.find((other) => inputsOfNode(other).includes(node.id))
    if (reader === undefined) continue
    exchanges.push({
      node,
      topic: `${topology.job}.v${version}.exchange.${node.name}`,
      fromStage: stageOf[node.id]!,
      toStage: stageOf[reader.id]!,
    })
  }
  return exchanges
}
