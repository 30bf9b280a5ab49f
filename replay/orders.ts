import type { Orders, TaskFacts } from '../engine/runtime/steering.ts'
import { type ControlState, markOf } from './control-state.ts'
import { heldFor, type VersionFacts } from './version-facts.ts'

export interface OrdersFacts {
  readonly version: number
  /** Of the version that publishes, where that is another one; undefined: not all is known of it yet, so nobody else may go on. */
  readonly owner: VersionFacts | undefined
  /** Of the version's own tasks whose exchanges this one reads; fewer than there are while some have not told of themselves. */
  readonly upstream: readonly (TaskFacts | undefined)[]
}

/**
 * What a version's task may do, by what is decided and by how far others have come. A hold goes from task to task: it reaches one when all
 * before it stand still. Pure.
 */
export function ordersOf(control: ControlState, { version, owner, upstream }: OrdersFacts): Orders {
  const { hold } = control
  const { skips = [], health } = control.versions.get(version) ?? {}
  const common = { control: control.events, publishes: control.owner === version, ...(skips.length === 0 ? {} : { skip: skips }) }
  const mark = hold && markOf(hold)
  const reached = hold !== undefined && upstream.every((facts) => facts?.held === mark)
  if (control.owner === version) {
    const cut = control.cutOvers.get(version)
    return {
      ...common,
      // One that takes nothing, or fails at what it takes, must not keep another one from taking over.
      ...(hold?.from === version && reached ? { hold: { id: markOf(hold), level: hold.level, retried: health === 'running' } } : {}),
      ...(cut === undefined
        ? {}
        : { align: { control: cut.events, watermark: cut.watermark ?? Number.NEGATIVE_INFINITY, processing: cut.processing } }),
    }
  }
  if (owner === undefined) return { ...common, trail: unknownTrail }
  const { positions, watermark, processing } = owner
  const held = mark !== undefined && heldFor(owner, mark) && hold!.to === version && reached
  return { ...common, trail: { positions, watermark, processing }, ...(held ? { hold: { id: mark, at: positions } } : {}) }
}

const unknownTrail = { positions: undefined, watermark: Number.NEGATIVE_INFINITY, processing: 0 }
