import type { TopicDefinition, Topology, TopologyNode } from '../engine/model/topology.ts'
import { invalid } from './invalid.ts'

/** What can be seen of a job only as a whole. Errors: JOB_INVALID with the place and the way out. */
export function checkJob(topology: Topology): void {
  const { job, nodes } = topology
  const written = writtenTopics(topology)
  const read = new Map(nodes.flatMap((node) => (node.kind === 'source' ? [[node.topic.name, node.topic] as const] : [])))
  if (read.size === 0) throw invalid({ job }, 'the job reads nothing', 'begin with job.from(topic)')
  if (written.length === 0 && !nodes.some((node) => node.kind === 'operator' && node.type === 'table')) {
    throw invalid({ job }, 'the job writes nothing', 'end a stream with .to(topic), or keep its latest values with .table(name)')
  }
  const known = new Map<string, TopicDefinition>()
  for (const { operator, topic } of written) {
    const place = { job, operator, topic: topic.name }
    if (read.has(topic.name)) {
      throw invalid(
        place,
        'the job reads what it writes: it would never come to an end',
        'write to another topic, which a second job reads',
      )
    }
    if ([`${job}.control`, `${job}.dead-letters`, `${job}.late`].includes(topic.name)) {
      throw invalid(place, "the engine keeps the job's own records in this topic", 'choose another name for the topic')
    }
    if ((known.get(topic.name) ?? topic) !== topic) {
      throw invalid(place, 'the topic is declared twice', 'declare each topic once and use that object everywhere')
    }
    known.set(topic.name, topic)
    if (topic.codec.decodeOnly !== undefined) {
      throw invalid(
        { ...place, codec: topic.codec.name, why: topic.codec.decodeOnly },
        'the values of this topic can only be read',
        'declare the output with a schema without transforms',
      )
    }
  }
  for (const node of nodes) checkRead(topology, node)
}

function writtenTopics({ nodes }: Topology): { readonly operator: string; readonly topic: TopicDefinition }[] {
  return nodes.flatMap((node) => {
    if (node.kind === 'sink') return [{ operator: node.name, topic: node.topic }]
    if (node.kind !== 'operator') return []
    return Object.values(node.sideOutputs).map((topic) => ({ operator: node.name, topic }))
  })
}

/** What leads nowhere is a forgotten `.to(topic)`; fine where the effect is another one. */
function checkRead({ job, nodes }: Topology, node: TopologyNode): void {
  if (node.kind === 'sink' || (node.kind === 'operator' && ['peek', 'table', 'process', 'branch'].includes(node.type))) return
  const read = nodes.some((other) =>
    other.kind === 'operator' ? other.inputs.includes(node.id) : other.kind !== 'source' && other.input === node.id,
  )
  if (read) return
  throw invalid({ job, operator: node.name }, 'nothing reads what this gives', 'end it with .to(topic), or leave it out')
}
