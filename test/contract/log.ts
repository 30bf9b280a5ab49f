import { describe } from 'vitest'
import { boundsContract } from './log/bounds.ts'
import { commitContract } from './log/commits.ts'
import { logTests, type MakeLog } from './log/harness.ts'
import { modelContract } from './log/model.ts'
import { producerContract } from './log/producers.ts'
import { readingContract } from './log/reading.ts'
import { maintenanceContract, removalContract } from './log/removal.ts'
import { topicContract } from './log/topics.ts'

export interface ContractOptions {
  /** Sequences of random operations. */
  readonly runs?: number
  /** Whether `make` gives `maintenance`. */
  readonly maintenance: boolean
}

/** What every adapter of the Log port must do, as tests. `make` gives a new, empty log each time. */
export function logContract(name: string, make: MakeLog, { runs = 100, maintenance }: ContractOptions): void {
  const test = logTests(make)
  describe(`log contract, ${name}`, () => {
    describe('topics', () => topicContract(test))
    describe('commits', () => commitContract(test))
    describe('producers', () => producerContract(test))
    describe('bounds and time', () => boundsContract(test))
    describe('reading', () => readingContract(test))
    describe('removal', () => {
      removalContract(test)
      if (maintenance) maintenanceContract(test)
    })
    describe('random operations', () => modelContract(make, runs))
  })
}
