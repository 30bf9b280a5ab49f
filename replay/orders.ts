import type { Orders, TaskFacts } from '../engine/runtime/steering.ts'
import type { ControlState } from './control-state.ts'

/**
 * What a version's task may do, by what is decided and by how far the owner's task has come. Pure.
 * @param owner undefined: nothing is known of it yet, so nobody may go on.
 */
export function ordersOf(control: ControlState, version: number, owner: TaskFacts | undefined): Orders {
  const { hold } = control
  const common = { control: control.events, publishes: control.owner === version }
  if (control.owner === version) {
    const cut = control.cutOvers.get(version)
    return {
      ...common,
      ...(hold?.from === version ? { hold: { id: hold.id } } : {}),
      ...(cut === undefined
        ? {}
        : { align: { control: cut.events, watermark: cut.watermark ?? Number.NEGATIVE_INFINITY, processing: cut.processing } }),
    }
  }
  const trail = owner ?? { positions: new Map(), watermark: Number.NEGATIVE_INFINITY, processing: 0 }
  const held = hold !== undefined && hold.to === version && owner?.held === hold.id
  return { ...common, trail, ...(held ? { hold: { id: hold.id, at: owner.positions } } : {}) }
}
