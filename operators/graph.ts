import { StreamError } from '../engine/errors.ts'
import type { BadRecordPolicy, KeyByNode, OperatorNode, SinkNode, SourceNode, TopicDefinition, TopologyNode } from '../engine/model/topology.ts'

type Unplaced<N> = Omit<N, 'id' | 'onBad'> & { readonly onBad?: BadRecordPolicy | undefined }

/** Gathers the nodes of a job while its author describes it. Invariant: names are unique, inputs come before their readers. */
export class Graph {
  readonly nodes: TopologyNode[] = []
  readonly job: string
  private readonly onBad: BadRecordPolicy

  constructor(job: string, onBad: BadRecordPolicy) {
    this.job = job
    this.onBad = onBad
  }

  add(node: Unplaced<SourceNode> | Unplaced<KeyByNode> | Unplaced<OperatorNode> | Unplaced<SinkNode>): number {
    if (!/^[a-zA-Z0-9_-]{1,64}$/.test(node.name)) {
      throw this.invalid({ name: node.name, kind: node.kind, reason: 'an operator needs a name of 1 to 64 letters, digits, dashes and underscores' }, `give it one: .${node.kind}('name', ...)`)
    }
    if (this.nodes.some(({ name }) => name === node.name)) {
      throw this.invalid({ name: node.name, reason: 'two operators have this name' }, 'rename one of them: state is kept by name')
    }
    const id = this.nodes.length
    this.nodes.push({ ...node, id, onBad: node.onBad ?? this.onBad } as TopologyNode)
    return id
  }

  /** A name for what needs none from the author: `map-3`. */
  nameFor(type: string): string {
    return `${type}-${this.nodes.length}`
  }

  invalid(details: Record<string, unknown>, fix: string): StreamError {
    return new StreamError('JOB_INVALID', { job: this.job, ...details }, { fix })
  }

  /** Refuses what can't run. */
  check(): void {
    const sources = this.nodes.filter((node) => node.kind === 'source')
    if (sources.length === 0) throw this.invalid({ reason: 'the job reads nothing' }, 'begin with job.from(topic)')
    const outputs = new Map<string, TopicDefinition>()
    for (const node of this.nodes) {
      for (const topic of outputsOf(node)) {
        const other = outputs.get(topic.name)
        if (other !== undefined && other !== topic) throw this.invalid({ topic: topic.name, reason: 'it is defined twice' }, 'write to one and the same topic object')
        outputs.set(topic.name, topic)
        if (sources.some((source) => source.topic.name === topic.name)) {
          throw this.invalid({ topic: topic.name, reason: 'the job reads what it writes' }, 'write to another topic; two jobs can form a chain')
        }
      }
    }
    if (outputs.size === 0) throw this.invalid({ reason: 'the job writes nothing' }, 'end a stream with .to(topic)')
  }
}

function outputsOf(node: TopologyNode): readonly TopicDefinition[] {
  if (node.kind === 'sink') return [node.topic]
  return node.kind === 'operator' ? Object.values(node.sideOutputs) : []
}
