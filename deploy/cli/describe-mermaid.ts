import type { Topology, TopologyNode } from '../../engine/model/topology.ts'
import { inputsOf } from './describe-text.ts'

/** A Mermaid flowchart: topics are rounded, operators with state are cylinders, edges into a new key are thick. */
export function mermaidOf({ nodes }: Topology): string {
  const boxes = nodes.map((node) => `  n${node.id}${shapeOf(node)}`)
  const edges = nodes.flatMap((node) => inputsOf(node).map((input) => `  n${input} ${node.kind === 'keyBy' ? '==>' : '-->'} n${node.id}`))
  const sides = nodes.flatMap((node) => (node.kind === 'operator' ? sideEdges(node.id, node.sideOutputs) : []))
  return `flowchart LR\n${[...boxes, ...edges, ...sides].join('\n')}\n`
}

function shapeOf(node: TopologyNode): string {
  if (node.kind === 'source' || node.kind === 'sink') return `([${quoted(node.topic.name)}])`
  const label = quoted(node.detail === '' ? node.name : `${node.name}\n${node.detail}`)
  return node.kind === 'operator' && node.stores.length > 0 ? `[(${label})]` : `[${label}]`
}

function sideEdges(id: number, sideOutputs: Readonly<Record<string, { readonly name: string }>>): string[] {
  return Object.entries(sideOutputs).map(([port, topic]) => `  n${id} -. ${port} .-> n${id}_${port}([${quoted(topic.name)}])`)
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '#quot;').replaceAll('\n', '<br>')}"`
}
