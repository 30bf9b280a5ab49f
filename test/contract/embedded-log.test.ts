import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EmbeddedLog } from '../../engine/log/embedded/embedded-log.ts'
import { NodeFileSystem } from '../../engine/log/embedded/node-file-system.ts'
import { realClock } from '../support/real-clock.ts'
import { behindFaults } from './log/behind-faults.ts'
import type { ContractLog } from './log/harness.ts'
import { logContract } from './log.ts'

logContract('embedded on the real file system', onDisk, { runs: 20, maintenance: true })
logContract('embedded on the real file system, behind faults', behindFaults(onDisk), { runs: 5, maintenance: true })

async function onDisk(): Promise<ContractLog> {
  const directory = await mkdtemp(join(tmpdir(), 'reprise-log-'))
  const open = () => EmbeddedLog.open({ fs: new NodeFileSystem(directory), clock: realClock, settings: { reserveBytes: 1 << 16 } })
  let log = await open()
  return {
    log,
    reopen: async () => {
      await log.close()
      return (log = await open())
    },
    close: async () => {
      await log.close()
      await rm(directory, { recursive: true })
    },
    maintenance: {
      retain: (now) => log.retain(now),
      compact: (topic) => log.compact(topic),
      rewrite: () => log.rewrite(),
    },
  }
}
