import type { Coverage } from '../../sim/coverage.ts'
import type { Scheduler } from '../../sim/scheduler.ts'
import type { Random } from '../../support/random.ts'

/** How often a message meets each fate, 0 to 1. */
export interface LinkFaults {
  readonly lost: number
  readonly twice: number
  readonly late: number
}

const noFaults: LinkFaults = { lost: 0, twice: 0, late: 0 }

/** What versions and leaders tell each other goes through here: it arrives in any order, late, twice or never. */
export class Links {
  private readonly scheduler: Scheduler
  private readonly random: Random
  private readonly coverage: Coverage
  private faults: LinkFaults

  constructor(scheduler: Scheduler, random: Random, faults: LinkFaults, coverage: Coverage) {
    this.scheduler = scheduler
    this.random = random
    this.faults = faults
    this.coverage = coverage
  }

  /** From now on each message arrives once. */
  calm(): void {
    this.faults = noFaults
  }

  send(deliver: () => void): void {
    const { random, faults } = this
    if (random.chance(faults.lost)) return this.coverage.count('message lost')
    const times = random.chance(faults.twice) ? 2 : 1
    if (times > 1) this.coverage.count('message twice')
    for (let i = 0; i < times; i++) void this.carry(deliver)
  }

  private async carry(deliver: () => void): Promise<void> {
    if (this.random.chance(this.faults.late)) {
      this.coverage.count('message late')
      await this.scheduler.sleep(1 + this.random.int(300))
    }
    await this.scheduler.arrival('message')
    deliver()
  }
}
