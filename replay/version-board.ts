import type { Clock } from '../engine/ports/world.ts'
import { NextChange } from '../engine/runtime/next-change.ts'
import type { Steering, TaskFacts } from '../engine/runtime/steering.ts'
import { type ControlState, nothingDecided } from './control-state.ts'
import { ordersOf } from './orders.ts'
import { type VersionFacts, versionFacts } from './version-facts.ts'

/** Where the versions of one job stand and what is decided about them: what their tasks are steered by. */
export class VersionBoard {
  /** By version and task. */
  private readonly known = new Map<number, Map<number, TaskFacts>>()
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

  /** One that is older than what is known comes late, or once more: it changes nothing. */
  set control(control: ControlState) {
    if (control.events < this.decided.events) return
    this.decided = control
    this.onDecided(control)
    this.moved.tell()
  }

  /** Undefined while not every task of it has told of itself. */
  facts(version: number): VersionFacts | undefined {
    return versionFacts(this.tasksOf(version))
  }

  /** As far as they have told of themselves. */
  tasksOf(version: number): Iterable<TaskFacts> {
    return this.known.get(version)?.values() ?? []
  }

  /** Where a task of a version stands. Facts of an earlier slice than is known come late, or once more: they change nothing. */
  learn(version: number, facts: TaskFacts): void {
    let tasks = this.known.get(version)
    if (tasks === undefined) this.known.set(version, (tasks = new Map()))
    if (facts.seq < (tasks.get(facts.task)?.seq ?? 0)) return
    tasks.set(facts.task, facts)
    this.moved.tell()
  }

  /** Calls `wake` at the next fact or decision. @returns what takes that back. */
  onChange(wake: () => void): () => void {
    return this.moved.onChange(wake)
  }

  /** Resolves at the next fact or decision, after `waitMs`, or when `signal` is aborted. */
  async changedWithin(clock: Clock, waitMs: number, signal?: AbortSignal): Promise<void> {
    const done = new AbortController()
    const ended = signal === undefined ? done.signal : AbortSignal.any([done.signal, signal])
    const takeBack = this.onChange(() => done.abort())
    await clock.sleep(waitMs, ended)
    takeBack()
  }

  /** For the tasks of one version. */
  steering(version: number): Steering {
    return {
      orders: (_, upstream) => {
        const { owner } = this.decided
        return ordersOf(this.decided, {
          version,
          owner: owner === undefined || owner === version ? undefined : this.facts(owner),
          upstream: upstream.map((task) => this.known.get(version)?.get(task)),
        })
      },
      report: (_, facts) => this.learn(version, facts),
      onChange: (wake) => this.onChange(wake),
    }
  }
}
