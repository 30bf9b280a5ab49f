import { stat } from 'node:fs/promises'
import path from 'node:path'
import { StreamError } from '../engine/errors.ts'
import type { EmbeddedLog } from '../engine/log/embedded/embedded-log.ts'
import { openEmbeddedLog } from '../engine/log/embedded/open-embedded-log.ts'
import { silentLogger } from '../engine/ports/world.ts'
import { realClock } from './real-clock.ts'

/** Where a data directory has its log. FILE_UNREADABLE when there is none: verbs that only look must not make one. */
export async function logDirectoryOf(data: string): Promise<string> {
  const directory = path.join(data, 'log')
  const found = await stat(directory).catch((cause: NodeJS.ErrnoException) => cause)
  if (!(found instanceof Error)) return directory
  throw new StreamError('FILE_UNREADABLE', { file: data, reason: found.code }, { fix: 'name a data directory with --data' })
}

/** Opens the log of a data directory, calls `act`, and closes it. Errors: FILE_UNREADABLE, LOG_LOCKED and those of EmbeddedLog.open. */
export async function withExistingLog<T>(data: string, act: (log: EmbeddedLog) => Promise<T>): Promise<T> {
  const log = await openEmbeddedLog({ directory: await logDirectoryOf(data), clock: realClock, logger: silentLogger })
  try {
    return await act(log)
  } finally {
    await log.close()
  }
}
