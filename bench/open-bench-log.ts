import { mkdirSync } from 'node:fs'
import { realClock } from '../deploy/real-clock.ts'
import { EmbeddedLog } from '../engine/log/embedded/embedded-log.ts'
import { NodeFileSystem } from '../engine/log/embedded/node-file-system.ts'
import type { Probe } from '../engine/ports/world.ts'

/** The embedded log of a data directory, as `reprise run` opens it: every commit is synced. */
export async function openBenchLog(dir: string, probe?: Probe): Promise<EmbeddedLog> {
  mkdirSync(dir, { recursive: true })
  return EmbeddedLog.open({ fs: new NodeFileSystem(dir), clock: realClock, ...(probe === undefined ? {} : { probe }) })
}
