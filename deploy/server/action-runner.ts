import type { Action } from '../../replay/controller.ts'

/** Whose turn an action takes: what is done about one version does not wait for another one. */
export const laneOf = (action: Action): number | undefined => ('version' in action ? action.version : undefined)

/** Carries out actions, one at a time about each version, whoever asks. */
export class ActionRunner {
  private readonly underWay = new Map<number | undefined, Promise<void>>()
  private readonly carryOut: (action: Action) => Promise<void>

  constructor(carryOut: (action: Action) => Promise<void>) {
    this.carryOut = carryOut
  }

  /** Begins those of versions about which nothing is being done. The others were decided by what is being changed: ask again. */
  begin(actions: readonly Action[]): Promise<void>[] {
    return actions.flatMap((action) => {
      const lane = laneOf(action)
      if (this.underWay.has(lane)) return []
      const done = this.carryOut(action).finally(() => this.underWay.delete(lane))
      this.underWay.set(lane, done)
      return [done]
    })
  }

  /** Resolves when nothing is being done about the version; throws what that ended with. */
  async done(version: number): Promise<void> {
    await this.underWay.get(version)
  }

  async allDone(): Promise<void> {
    await Promise.allSettled(this.underWay.values())
  }
}
