import { differentStarts, type Starts } from '../../engine/runtime/steering.ts'
import type { InspectedJob } from './inspected-job.ts'

/** A version as its seams are told from: its code, and where it begins. */
export interface Seamed {
  readonly inspected: InspectedJob
  readonly starts: Starts
}

/** In which words a switch between two versions can't be exact; none: it is. Pure. */
export function seamBetween(before: Seamed, after: Seamed): string[] {
  return [...seamOf(before.inspected, after.inspected), ...historySeam(after.inspected, before.starts, after.starts)]
}

/**
 * In which words two versions differ in how they cut time: windows, and how far sources may be out of order. None: a switch is exact. Pure.
 */
export function seamOf(before: InspectedJob, after: InspectedJob): string[] {
  const seams: string[] = []
  for (const node of before.described.nodes) {
    const now = after.described.nodes.find(({ name, kind }) => name === node.name && kind === node.kind)
    if (node.type !== 'window' || now === undefined) continue
    const [old, next] = [windowOf(node.detail), windowOf(now.detail)]
    if (old !== next) seams.push(`${node.name}: ${old} → ${next}`)
  }
  for (const source of before.sources) {
    const now = after.sources.find(({ name }) => name === source.name)
    if (now !== undefined && now.outOfOrdernessMs !== source.outOfOrdernessMs)
      seams.push(`${source.name}: out of order by ${source.outOfOrdernessMs / 1000} s → ${now.outOfOrdernessMs / 1000} s`)
  }
  return seams
}

/** The same of two versions that begin at different places: what one keeps in state knows of records the other has not seen. Pure. */
export function historySeam(after: InspectedJob, before: Starts, now: Starts): string[] {
  const stateful = after.described.nodes.some(({ stores }) => stores.length > 0)
  const differs = stateful ? differentStarts(before, now) : []
  return differs.map((name) => `${name}: history from ${before[name] ?? 0} → from ${now[name] ?? 0}`)
}

/** Of the words on a window operator, those before what it counts: `tumbling 1d, allowed lateness 1h: flights count`. */
function windowOf(detail: string): string {
  return detail.split(': ')[0]!
}
