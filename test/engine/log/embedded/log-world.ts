import { EmbeddedLog, type EmbeddedLogOptions } from '../../../../engine/log/embedded/embedded-log.ts'
import { parseFileName } from '../../../../engine/log/embedded/file-names.ts'
import type { EmbeddedLogSettings } from '../../../../engine/log/embedded/settings.ts'
import { SimClock } from '../../../support/sim-clock.ts'
import { SimDisk, type SimFs } from '../../../support/sim-fs.ts'

export interface World {
  readonly disk: SimDisk
  readonly fs: SimFs
  readonly clock: SimClock
  readonly log: EmbeddedLog
}

export async function world(
  settings: Partial<EmbeddedLogSettings> = {},
  more: Partial<EmbeddedLogOptions> & { disk?: SimDisk; fs?: SimFs } = {},
): Promise<World> {
  const disk = more.disk ?? new SimDisk(1)
  const fs = more.fs ?? disk.mount()
  const clock = new SimClock()
  const log = await EmbeddedLog.open({ fs, clock, settings: { reserveBytes: 4096, ...settings }, ...more })
  return { disk, fs, clock, log }
}

export async function settled(): Promise<void> {
  for (let i = 0; i < 2; i++) await new Promise((resolve) => setImmediate(resolve))
}

export const segmentsOn = (disk: SimDisk) => disk.list().filter((name) => parseFileName(name)?.kind === 'segment')
export const logsOn = (disk: SimDisk) => disk.list().filter((name) => parseFileName(name)?.kind === 'log')
