import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MessageChannel } from 'node:worker_threads'
import { expect } from 'vitest'
import { lineOf } from '../../deploy/server/thread-line.ts'
import { EmbeddedLog } from '../../engine/log/embedded/embedded-log.ts'
import { LogService } from '../../engine/log/embedded/log-service.ts'
import { NodeFileSystem } from '../../engine/log/embedded/node-file-system.ts'
import type { EmbeddedLogSettings } from '../../engine/log/embedded/settings.ts'
import { ThreadLog } from '../../engine/log/embedded/thread-log.ts'
import type { FileSystem } from '../../engine/ports/file-system.ts'
import type { Log } from '../../engine/ports/log.ts'
import { runsOf } from '../support/lane.ts'
import { realClock } from '../support/real-clock.ts'
import { SimDisk } from '../support/sim-fs.ts'
import { behindFaults } from './log/behind-faults.ts'
import type { ContractLog } from './log/harness.ts'
import { logContract } from './log.ts'

logContract('embedded on a simulated disk', () => onSimDisk(), { runs: runsOf(100), maintenance: true })
logContract(
  'embedded on a simulated disk, behind faults',
  behindFaults(() => onSimDisk()),
  { runs: runsOf(30), maintenance: true },
)
logContract('embedded on a simulated disk, blocks stay in their log file', () => onSimDisk({ joinedBlockBytes: 100 }), {
  runs: runsOf(30),
  maintenance: true,
})
logContract('embedded on the real file system', onDisk, { runs: runsOf(15), maintenance: true })
logContract('embedded, from a thread beside the writer', fromThread, { runs: runsOf(30), maintenance: true })

async function onSimDisk(more: Partial<EmbeddedLogSettings> = {}): Promise<ContractLog> {
  const disk = new SimDisk(1)
  return contractLog(
    () => disk.mount(),
    async () => {},
    attachDirectly,
    more,
  )
}

async function onDisk(): Promise<ContractLog> {
  const directory = await mkdtemp(join(tmpdir(), 'reprise-log-'))
  return contractLog(
    () => new NodeFileSystem(directory),
    () => rm(directory, { recursive: true }),
  )
}

/** Both ends of the line in one thread: what goes over it is cloned all the same. */
async function fromThread(): Promise<ContractLog> {
  const disk = new SimDisk(1)
  return contractLog(
    () => disk.mount(),
    async () => {},
    async (log, fs) => {
      const { port1, port2 } = new MessageChannel()
      const service = new LogService(log, lineOf(port1))
      const thread = await ThreadLog.attach(log.handle(), { fs, line: lineOf(port2) })
      return {
        log: thread,
        refresh: () => thread.refresh(),
        // Questions are answered in the order asked.
        heard: () => expect(thread.deleteTopic('no-such-topic')).rejects.toThrow(/TOPIC_UNKNOWN/),
        async detach() {
          await thread.close()
          service.close()
          port1.close()
        },
      }
    },
  )
}

interface Attached {
  readonly log: Log
  /** The writer has heard of everything that was told so far, also of pins. */
  heard(): Promise<unknown>
  /** Shows what was done on the writer's side. */
  refresh(): Promise<unknown>
  detach(): Promise<void>
}

const attachDirectly = async (log: EmbeddedLog): Promise<Attached> => ({
  log,
  async heard() {},
  async refresh() {},
  async detach() {},
})

async function contractLog(
  mount: () => FileSystem,
  remove: () => Promise<void>,
  attach: (log: EmbeddedLog, fs: FileSystem) => Promise<Attached> = attachDirectly,
  more: Partial<EmbeddedLogSettings> = {},
): Promise<ContractLog> {
  // Small files, so that everything that is done in the background is done.
  const settings = {
    reserveBytes: 4096,
    logFileBytes: 100_000,
    ownSegmentBytesMin: 3000,
    mixedSegmentsMax: 3,
    joinedBlockBytes: 3000,
    ...more,
  }
  const open = () => EmbeddedLog.open({ fs: mount(), clock: realClock, settings })
  let log = await open()
  let attached = await attach(log, mount())
  const shown = async (work: () => Promise<void>) => {
    await attached.heard()
    await work()
    await attached.refresh()
  }
  return {
    log: attached.log,
    reopen: async () => {
      await attached.detach()
      await log.close()
      log = await open()
      attached = await attach(log, mount())
      return attached.log
    },
    close: async () => {
      await attached.detach()
      await log.close()
      await remove()
    },
    maintenance: {
      retain: (now) => shown(() => log.retain(now)),
      compact: (topic) => shown(() => log.compact(topic)),
      rewrite: () => shown(() => log.rewrite()),
    },
  }
}
