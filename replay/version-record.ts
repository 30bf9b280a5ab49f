import type { Offset } from '../engine/model/record.ts'
import { jobTopics } from '../engine/runtime/plan.ts'
import { partitionName } from '../engine/runtime/steering.ts'
import type { ControlState } from './control-state.ts'

/** Some consecutive records of one partition of a topic. */
export interface Stretch {
  readonly topic: string
  readonly from: Offset
  /** One past the last; undefined: it goes on. */
  readonly to: Offset | undefined
}

/**
 * Where all results of a version for one partition of an output are, in the order it gave them: its private topic while it did not publish,
 * the public one while it did. Stretches may be empty; with further decisions the last two may come to their end, and more follow. Pure.
 */
export function recordOf(control: ControlState, job: string, version: number, output: string, partition: number): Stretch[] {
  const privately = jobTopics(job, version).privately(output)
  const [open, shut] = [partitionName(output, partition), partitionName(privately, partition)]
  const { switches, owner } = control
  const record: Stretch[] = []
  let privateFrom = 0
  let publicFrom = (switches[0]?.from ?? owner) === version ? 0 : undefined
  for (const { from, to, ends } of switches) {
    if (to === version) publicFrom = ends[open] ?? 0
    if (from !== version) continue
    const privateTo = ends[shut] ?? 0
    // What it gave before its turn, and when it began it, comes first.
    record.push({ topic: privately, from: privateFrom, to: privateTo }, { topic: output, from: publicFrom!, to: ends[open] ?? 0 })
    privateFrom = privateTo
    publicFrom = undefined
  }
  record.push({ topic: privately, from: privateFrom, to: undefined })
  if (publicFrom !== undefined) record.push({ topic: output, from: publicFrom, to: undefined })
  return record
}
