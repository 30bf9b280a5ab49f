import { differentStarts, type Starts } from '../../engine/runtime/steering.ts'
import type { ChangedWindows } from '../../replay/common-end.ts'
import type { InspectedJob } from './inspected-job.ts'
import { changesBetween, windowsBehind } from './window-changes.ts'

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

/** How two versions differ in how they cut time: windows behind what both publish, and the times of their sources. Pure. */
export function seamOf(before: InspectedJob, after: InspectedJob): Seam {
  const differs = new Set<string>()
  const changedWindows = new Map<string, ChangedWindows>()
  for (const { name: topic } of before.outputs) {
    // What only one of them publishes is not handed over.
    if (!after.outputs.some(({ name }) => name === topic)) continue
    for (const { what, ends } of changesBetween(windowsBehind(before.described, topic), windowsBehind(after.described, topic))) {
      if (ends === undefined) differs.add(what)
      else changedWindows.set(what, { what, ...ends })
    }
  }
  for (const source of before.sources) {
    const now = after.sources.find(({ name }) => name === source.name)
    if (now === undefined) continue
    if (now.outOfOrdernessMs !== source.outOfOrdernessMs)
      differs.add(`${source.name}: out of order by ${source.outOfOrdernessMs / 1000} s → ${now.outOfOrdernessMs / 1000} s`)
    if (now.timeFrom !== source.timeFrom) differs.add(`${source.name}: event time of its ${source.timeFrom} → of its ${now.timeFrom}`)
  }
  return { differs: [...differs], changedWindows: [...changedWindows.values()] }
}

/** The same of two versions that begin at different places: what one keeps in state knows of records the other has not seen. Pure. */
export function historySeam(after: InspectedJob, before: Starts, now: Starts): string[] {
  const stateful = after.described.nodes.some(({ stores }) => stores.length > 0)
  const differs = stateful ? differentStarts(before, now) : []
  return differs.map((name) => `${name}: history from ${before[name] ?? 0} → from ${now[name] ?? 0}`)
}
