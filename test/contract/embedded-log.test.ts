import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EmbeddedLog } from '../../engine/log/embedded/embedded-log.ts'
import { NodeFileSystem } from '../../engine/log/embedded/node-file-system.ts'
import type { FileSystem } from '../../engine/ports/file-system.ts'
import { realClock } from '../support/real-clock.ts'
import { SimDisk } from '../support/sim-fs.ts'
import { behindFaults } from './log/behind-faults.ts'
import type { ContractLog } from './log/harness.ts'
import { logContract } from './log.ts'

logContract('embedded on a simulated disk', onSimDisk, { runs: 100, maintenance: true })
logContract('embedded on a simulated disk, behind faults', behindFaults(onSimDisk), { runs: 30, maintenance: true })
logContract('embedded on the real file system', onDisk, { runs: 15, maintenance: true })

async function onSimDisk(): Promise<ContractLog> {
  const disk = new SimDisk(1)
  return contractLog(
    () => disk.mount(),
    async () => {},
  )
}

async function onDisk(): Promise<ContractLog> {
  const directory = await mkdtemp(join(tmpdir(), 'reprise-log-'))
  return contractLog(
    () => new NodeFileSystem(directory),
    () => rm(directory, { recursive: true }),
  )
}

async function contractLog(mount: () => FileSystem, remove: () => Promise<void>): Promise<ContractLog> {
  // Small files, so that everything that is done in the background is done.
  const settings = { reserveBytes: 4096, logFileBytes: 100_000, ownSegmentBytesMin: 3000, mixedSegmentsMax: 3, joinedBlockBytes: 3000 }
  const open = () => EmbeddedLog.open({ fs: mount(), clock: realClock, settings })
  let log = await open()
  return {
    log,
    reopen: async () => {
      await log.close()
      return (log = await open())
    },
    close: async () => {
      await log.close()
      await remove()
    },
    maintenance: {
      retain: (now) => log.retain(now),
      compact: (topic) => log.compact(topic),
      rewrite: () => log.rewrite(),
    },
  }
}
