import type { Steering, TaskFacts } from '../engine/runtime/steering.ts'
import { type ControlState, foldControl } from './control-log.ts'
import { ordersOf } from './orders.ts'

class Change {
  resolve!: () => void
  readonly promise = new Promise<void>((resolve) => {
    this.resolve = resolve
  })
}

/** Where the versions of one job stand and what is decided about them: what their tasks are steered by. */
export class VersionBoard {
  private readonly known = new Map<number, TaskFacts>()
  private decided: ControlState = foldControl([])
  private next = new Change()

  get control(): ControlState {
    return this.decided
  }

  set control(control: ControlState) {
    this.decided = control
    this.wake()
  }

  facts(version: number): TaskFacts | undefined {
    return this.known.get(version)
  }

  /** Resolves at the next fact or decision. */
  changed(): Promise<void> {
    return this.next.promise
  }

  /** For the one task of a version. */
  steering(version: number): Steering {
    return {
      orders: () => ordersOf(this.decided, version, this.decided.owner === undefined ? undefined : this.known.get(this.decided.owner)),
      report: (_, facts) => {
        this.known.set(version, facts)
        this.wake()
      },
      changed: () => this.changed(),
    }
  }

  private wake(): void {
    const { resolve } = this.next
    this.next = new Change()
    resolve()
  }
}
