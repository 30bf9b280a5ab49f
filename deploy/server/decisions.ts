import type { Log } from '../../engine/ports/log.ts'
import type { Clock } from '../../engine/ports/world.ts'
import type { ControlEvent } from '../../replay/control-event.ts'
import { decide } from '../../replay/control-log.ts'
import type { VersionBoard } from '../../replay/version-board.ts'
import { Turn } from '../turn.ts'

export interface DecisionsWorld {
  readonly job: string
  readonly log: Log
  readonly clock: Clock
  readonly board: VersionBoard
}

/** What is decided about a job: one at a time, each against the state it builds on. Whoever has the turn may look at that state and then decide. */
export class Decisions {
  private readonly world: DecisionsWorld
  private readonly turn = new Turn()

  constructor(world: DecisionsWorld) {
    this.world = world
  }

  inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.turn.take(work)
  }

  /** Only in turn. Errors: those of `decide`. */
  async write(event: DistributiveOmit<ControlEvent, 'at'>): Promise<void> {
    const { job, log, clock, board } = this.world
    board.control = await decide(log, job, board.control, { at: clock.now(), ...event } as ControlEvent)
  }

  /** Nobody has the turn any more. */
  settled(): Promise<void> {
    return this.turn.settled()
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never
