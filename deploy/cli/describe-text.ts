import type { TopicDefinition, Topology, TopologyNode, WindowEnds } from '../../engine/model/topology.ts'
import { table } from './verb.ts'

/** A topology as data; what `describe --json` prints. */
export interface Described {
  readonly job: string
  readonly sha256: string
  readonly nodes: readonly DescribedNode[]
}

interface DescribedNode {
  readonly name: string
  readonly kind: TopologyNode['kind']
  /** What it does: `window`, `map`; for a topic `stream` or `table`. */
  readonly type: string
  readonly detail: string
  /** Names of the nodes it reads. */
  readonly inputs: readonly string[]
  readonly topic?: string
  readonly stores: readonly string[]
  readonly onBad: string
  readonly windowEnds?: WindowEnds
  /** Results depend on the order of arrival. */
  readonly orderDependent?: true
  /** Other topics it writes, by what for. */
  readonly sideOutputs?: Readonly<Record<string, string>>
}

export function describedOf({ job, nodes }: Topology, sha256: string): Described {
  return { job, sha256, nodes: nodes.map((node) => nodeOf(node, nodes)) }
}

function nodeOf(node: TopologyNode, nodes: readonly TopologyNode[]): DescribedNode {
  const { name, kind, detail, onBad } = node
  const inputs = inputsOf(node).map((id) => nodes[id]!.name)
  const common = { name, kind, inputs, onBad, stores: [] }
  if (node.kind === 'source' || node.kind === 'sink') {
    return { ...common, type: node.topic.kind, detail: detail || topicDetail(node.topic), topic: node.topic.name }
  }
  if (node.kind === 'keyBy') return { ...common, type: 'keyBy', detail }
  const sides = Object.entries(node.sideOutputs).map(([port, topic]) => [port, topic.name])
  return {
    ...common,
    type: node.type,
    detail,
    stores: node.stores,
    ...(node.windowEnds === undefined ? {} : { windowEnds: node.windowEnds }),
    ...(node.orderDependent ? { orderDependent: true as const } : {}),
    ...(sides.length === 0 ? {} : { sideOutputs: Object.fromEntries(sides) }),
  }
}

export function inputsOf(node: TopologyNode): readonly number[] {
  if (node.kind === 'source') return []
  return node.kind === 'operator' ? node.inputs : [node.input]
}

function topicDetail({ codec, outOfOrdernessMs }: TopicDefinition): string {
  return outOfOrdernessMs === 0 ? codec.name : `${codec.name}, out of order by up to ${outOfOrdernessMs / 1000} s`
}

export function textOf({ job, sha256, nodes }: Described): string {
  const header = ['NAME', 'DOES', 'READS', 'STATE', 'DETAIL']
  const shown = new Map(nodes.map((node) => [node.name, node.topic ?? node.name]))
  const rows = nodes.map((node) => [
    node.topic ?? node.name,
    node.kind === 'source' || node.kind === 'sink' ? `${node.kind} (${node.type})` : node.type,
    node.inputs.map((name) => shown.get(name)).join(', ') || '–',
    node.stores.join(', ') || '–',
    [node.detail, ...notesOn(node)].filter(Boolean).join('; '),
  ])
  return `job ${job}   sha256 ${sha256.slice(0, 12)}\n\n${table([header, ...rows])}`
}

function notesOn({ onBad, orderDependent, sideOutputs = {} }: DescribedNode): string[] {
  return [
    ...(onBad === 'fail' ? [] : [`bad records: ${onBad}`]),
    ...(orderDependent ? ['depends on the order of arrival'] : []),
    ...Object.entries(sideOutputs).map(([port, topic]) => `${port} to ${topic}`),
  ]
}
