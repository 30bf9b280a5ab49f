import { NextChange } from '../engine/runtime/next-change.ts'
import type { Steering, TaskFacts } from '../engine/runtime/steering.ts'
import { type ControlState, nothingDecided } from './control-state.ts'
import { ordersOf } from './orders.ts'

/** Where the versions of one job stand and what is decided about them: what their tasks are steered by. */
export class VersionBoard {
  private readonly known = new Map<number, TaskFacts>()
  private decided: ControlState = nothingDecided
  private readonly moved = new NextChange()
  private readonly onDecided: (control: ControlState) => void

  /** @param onDecided told of each new state. */
  constructor(onDecided: (control: ControlState) => void = () => {}) {
    this.onDecided = onDecided
  }

  get control(): ControlState {
    return this.decided
  }

  set control(control: ControlState) {
    this.decided = control
    this.onDecided(control)
    this.moved.tell()
  }

  facts(version: number): TaskFacts | undefined {
    return this.known.get(version)
  }

  /** Where a version stands. */
  learn(version: number, facts: TaskFacts): void {
    this.known.set(version, facts)
    this.moved.tell()
  }

  /** Resolves at the next fact or decision. */
  changed(): Promise<void> {
    return this.moved.changed()
  }

  /** For the one task of a version. */
  steering(version: number): Steering {
    return {
      orders: () => ordersOf(this.decided, version, this.decided.owner === undefined ? undefined : this.known.get(this.decided.owner)),
      report: (_, facts) => this.learn(version, facts),
      changed: () => this.changed(),
    }
  }
}
