import type { Action } from '../../replay/controller.ts'

/** Whose turn an action takes: what is done about one version does not wait for another one. */
const laneOf = (action: Action): number | undefined => ('version' in action ? action.version : undefined)

/** Carries out actions, one at a time about each version, whoever asks. */
export class ActionRunner {
  private readonly underWay = new Map<number | undefined, Promise<void>>()
  private readonly carryOut: (action: Action) => Promise<void>
  private readonly onFailure: (error: unknown) => void

  /** @param onFailure told of each that failed; it is due again then. */
  constructor(carryOut: (action: Action) => Promise<void>, onFailure: (error: unknown) => void) {
    this.carryOut = carryOut
    this.onFailure = onFailure
  }

  /** Begins those of versions about which nothing is being done. What the others are to become shows once that is done: ask again. */
  begin(actions: readonly Action[]): void {
    for (const action of actions) {
      const lane = laneOf(action)
      if (this.underWay.has(lane)) continue
      const done = this.carryOut(action).finally(() => this.underWay.delete(lane))
      this.underWay.set(lane, done)
      done.catch(this.onFailure)
    }
  }

  /** Resolves when nothing is being done about the version; throws what that ended with. */
  async done(version: number): Promise<void> {
    await this.underWay.get(version)
  }

  async allDone(): Promise<void> {
    await Promise.allSettled(this.underWay.values())
  }
}
