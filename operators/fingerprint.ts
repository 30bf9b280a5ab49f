import type { Topology } from '../engine/model/topology.ts'
import { inputsOfNode } from '../engine/model/topology.ts'

/** The structure of a job as text: equal for two topologies exactly if state of one fits the other. Pure. */
export function fingerprint(topology: Topology): string {
  return topology.nodes
    .map((node) => {
      const what =
        node.kind === 'operator'
          ? `${node.type}[${node.stores.join(',')}]`
          : node.kind === 'keyBy'
            ? 'keyBy'
            : `${node.kind}(${node.topic.name})`
      return `${node.id}:${what}:${node.name}:${node.detail}<${inputsOfNode(node).join(',')}`
    })
    .join('\n')
}
