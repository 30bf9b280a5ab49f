import { differentStarts, type Starts } from '../../engine/runtime/steering.ts'
import type { ChangedWindows } from '../../replay/common-end.ts'
import type { InspectedJob } from './inspected-job.ts'

/** A version as its seams are told from: its code, and where it begins. */
export interface Seamed {
  readonly inspected: InspectedJob
  readonly starts: Starts
}

/** How a switch between two versions is less than exact, or when it is exact. Neither: at any time. */
export interface Seam {
  /** In which words they differ, so that no switch can be exact. */
  readonly differs: readonly string[]
  /** A switch is exact at a common end of these. */
  readonly changedWindows: readonly ChangedWindows[]
}

/** Pure. */
export function seamBetween(before: Seamed, after: Seamed): Seam {
  const { differs, changedWindows } = seamOf(before.inspected, after.inspected)
  return { differs: [...differs, ...historySeam(after.inspected, before.starts, after.starts)], changedWindows }
}

/** How two versions differ in how they cut time: windows, and how far sources may be out of order. Pure. */
export function seamOf(before: InspectedJob, after: InspectedJob): Seam {
  const differs: string[] = []
  const changedWindows: ChangedWindows[] = []
  for (const node of before.described.nodes) {
    const now = after.described.nodes.find(({ name, kind }) => name === node.name && kind === node.kind)
    if (node.type !== 'window' || now === undefined) continue
    const [old, next] = [windowOf(node.detail), windowOf(now.detail)]
    if (old === next) continue
    const what = `${node.name}: ${old} → ${next}`
    const [ends, nextEnds] = [node.windowEnds, now.windowEnds]
    if (ends !== undefined && nextEnds?.time === ends.time) changedWindows.push({ what, before: ends, after: nextEnds })
    else differs.push(what)
  }
  for (const source of before.sources) {
    const now = after.sources.find(({ name }) => name === source.name)
    if (now !== undefined && now.outOfOrdernessMs !== source.outOfOrdernessMs)
      differs.push(`${source.name}: out of order by ${source.outOfOrdernessMs / 1000} s → ${now.outOfOrdernessMs / 1000} s`)
  }
  return { differs, changedWindows }
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
