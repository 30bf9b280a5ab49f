import { MemoryLog } from '../../engine/log/memory/memory-log.ts'
import { realClock } from '../support/real-clock.ts'
import { behindFaults } from './log/behind-faults.ts'
import type { ContractLog } from './log/harness.ts'
import { logContract } from './log.ts'

logContract('memory', makeMemoryLog, { maintenance: true })
logContract('memory behind faults', behindFaults(makeMemoryLog), { maintenance: true })

async function makeMemoryLog(): Promise<ContractLog> {
  let log = new MemoryLog({ clock: realClock })
  return {
    log,
    reopen: async () => (log = log.reopen()),
    close: () => log.close(),
    maintenance: {
      retain: async (now) => log.retain(now),
      compact: async (topic) => log.compact(topic),
    },
  }
}
