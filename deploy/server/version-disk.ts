import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import type { EmbeddedLog } from '../../engine/log/embedded/embedded-log.ts'
import { stateFoldersOf } from '../open-state.ts'

/** What a version has on disk that no other one shares, in bytes. */
export interface DiskUse {
  /** Checkpoints, and state that does not fit into memory. */
  readonly state: number
  /** Private outputs, exchanges, journals. Public outputs are not its own. */
  readonly topics: number
}

export async function diskUseOf(log: EmbeddedLog, directory: string, job: string, version: number): Promise<DiskUse> {
  const own = `${job}.v${version}.`
  let topics = 0
  for (const { name } of log.topics()) if (name.startsWith(own)) topics += log.bytesOf(name)
  let state = 0
  for (const folder of await stateFoldersOf(directory, job, version)) state += await bytesIn(folder)
  return { state, topics }
}

/** Of all files in it; what goes meanwhile counts for nothing. */
async function bytesIn(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(noneIfGone)
  let bytes = 0
  for (const entry of entries ?? []) {
    const name = path.join(folder, entry.name)
    bytes += entry.isDirectory() ? await bytesIn(name) : ((await stat(name).catch(noneIfGone))?.size ?? 0)
  }
  return bytes
}

function noneIfGone(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}
