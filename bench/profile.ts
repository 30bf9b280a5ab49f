import { readFileSync } from 'node:fs'
import { basename } from 'node:path'

/** What of V8's format is read here. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
  }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

const shown = 25

/** Where the time of a V8 CPU profile went: self time by function, the largest first, and by file. */
export function profileTable(path: string): string {
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(path, 'utf8')) as CpuProfile
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]))
  const byFunction = new Map<string, number>()
  const byFile = new Map<string, number>()
  let total = 0
  samples.forEach((id, i) => {
    const { functionName, url, lineNumber } = frames.get(id)!
    if (functionName === '(idle)' || functionName === '(program)') return
    const micros = timeDeltas[i]!
    const file = url === '' ? '(node)' : basename(url)
    total += micros
    add(byFunction, `${functionName || '(anonymous)'}  ${file}:${lineNumber + 1}`, micros)
    add(byFile, file, micros)
  })
  const lines = (title: string, sums: ReadonlyMap<string, number>, count: number) => [
    title,
    ...[...sums]
      .sort(([, a], [, b]) => b - a)
      .slice(0, count)
      .map(([name, micros]) => `  ${((micros * 100) / total).toFixed(1).padStart(5)} %  ${name}`),
  ]
  return [...lines('self time by function', byFunction, shown), ...lines('self time by file', byFile, 12)].join('\n')
}

function add(sums: Map<string, number>, name: string, by: number): void {
  sums.set(name, (sums.get(name) ?? 0) + by)
}
