import type { BadRecordPolicy, SinkNode, SourceNode, TopicDefinition, Topology, TopologyNode } from '../engine/model/topology.ts'
import { checkJob } from './check-job.ts'
import { durationText } from './duration.ts'
import { invalid } from './invalid.ts'
import { checkPolicy, type Topic } from './topic.ts'

type WithoutPlace<N> = N extends TopologyNode ? Omit<N, 'id' | 'name' | 'onBad'> : never
export type NewNode = WithoutPlace<Exclude<TopologyNode, SourceNode | SinkNode>>

/**
 * The nodes of a job while it is being defined. Owns: their ids and names.
 * Invariants: I1 a node's inputs are there before it; I2 no two nodes have one name: the author's names have no dot, made ones have one.
 */
export class Graph {
  readonly job: string
  private readonly nodes: TopologyNode[] = []
  private readonly names = new Set<string>()
  private readonly sources = new Map<string, SourceNode>()
  private readonly onBad: BadRecordPolicy
  private closed = false

  constructor(job: string, onBad: BadRecordPolicy) {
    this.job = job
    this.onBad = onBad
  }

  /** The source of a topic: one node, however often the job asks for it. */
  source(topic: Topic<unknown, never>, onBad: BadRecordPolicy | undefined): number {
    const { definition } = topic
    const place = { job: this.job, topic: definition.name }
    const policy = checkPolicy(place, onBad) ?? topic.onBad ?? this.onBad
    const known = this.sources.get(definition.name)
    if (known === undefined) {
      const detail = sourceDetail(definition)
      const node: SourceNode = { ...this.place(`source.${definition.name}`), kind: 'source', detail, topic: definition, onBad: policy }
      this.sources.set(definition.name, node)
      this.nodes.push(node)
      return node.id
    }
    if (known.topic !== definition)
      throw invalid(place, 'the topic is declared twice', 'declare each topic once and use that object everywhere')
    if (known.onBad !== policy) {
      throw invalid({ ...place, onBad: [known.onBad, policy] }, 'the topic is read with two policies', 'give the same onBad at each from()')
    }
    return known.id
  }

  sink(input: number, topic: Topic<unknown, never>, onBad: BadRecordPolicy | undefined): void {
    const { definition } = topic
    const policy = checkPolicy({ job: this.job, topic: definition.name }, onBad) ?? this.onBad
    const name = `sink.${definition.name}`
    const place = this.place(this.names.has(name) ? `${name}#${this.nodes.length}` : name)
    this.nodes.push({ ...place, kind: 'sink', detail: '', input, topic: definition, onBad: policy })
  }

  /** @param name the author's; undefined: made from type and position. @returns the id. */
  add(name: string | undefined, node: NewNode, onBad: BadRecordPolicy | undefined): number {
    const type = node.kind === 'keyBy' ? node.kind : node.type
    const place = this.place(name === undefined ? `${type}.${this.nodes.length}` : this.checkName(type, name))
    const policy = checkPolicy({ job: this.job, operator: place.name }, onBad) ?? this.onBad
    this.nodes.push({ ...node, ...place, onBad: policy } as TopologyNode)
    return place.id
  }

  node(id: number): TopologyNode {
    return this.nodes[id]!
  }

  /** Checks the job as a whole; nothing can be added afterwards. Errors: JOB_INVALID. */
  finish(): Topology {
    this.closed = true
    const topology: Topology = { job: this.job, nodes: Object.freeze([...this.nodes]) }
    checkJob(topology)
    return topology
  }

  /** Refuses a name that can't be: the names of operators are parts of names of topics and stores. */
  checkName(type: string, name: unknown): string {
    const place = { job: this.job, operator: String(name), type }
    if (typeof name !== 'string' || name === '') {
      throw invalid(
        { job: this.job, type },
        `this ${type} has no name`,
        `give it one that says what it is for: .${type}('by-customer', ...)`,
      )
    }
    if (!/^[a-zA-Z0-9_-]{1,80}$/.test(name)) {
      throw invalid(place, 'a name has 1 to 80 of the characters a-z A-Z 0-9 _ -', 'choose another name')
    }
    if (this.names.has(name))
      throw invalid(place, 'two operators have this name', 'names are unique in a job: choose another one for one of them')
    return name
  }

  private place(name: string): { readonly id: number; readonly name: string } {
    if (this.closed) {
      throw invalid({ job: this.job, operator: name }, 'the job is complete already', 'use the streams of a job inside its defineJob only')
    }
    this.names.add(name)
    return { id: this.nodes.length, name }
  }
}

function sourceDetail({ outOfOrdernessMs, idleAfterMs }: TopicDefinition): string {
  const parts = [outOfOrdernessMs > 0 ? `out of order by up to ${durationText(outOfOrdernessMs)}` : 'in order']
  parts.push(idleAfterMs === undefined ? 'never idle' : `idle after ${durationText(idleAfterMs)}`)
  return parts.join(', ')
}
