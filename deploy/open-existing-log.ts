import { stat } from 'node:fs/promises'
import path from 'node:path'
import { AssertionError } from '../engine/assert.ts'
import { codeOf, StreamError } from '../engine/errors.ts'
import { holderOf } from '../engine/log/embedded/directory-lock.ts'
import type { EmbeddedLog } from '../engine/log/embedded/embedded-log.ts'
import { NodeFileSystem } from '../engine/log/embedded/node-file-system.ts'
import { openEmbeddedLog } from '../engine/log/embedded/open-embedded-log.ts'
import { ReadOnlyLog } from '../engine/log/embedded/read-only-log.ts'
import type { Beside } from '../engine/log/embedded/verify-log.ts'
import type { LogView } from '../engine/ports/log.ts'
import { silentLogger } from '../engine/ports/world.ts'
import { besideLog } from './beside-log.ts'
import { fileUnreadable } from './file-unreadable.ts'
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
  return closing(await openToWrite(await existingLog(data)), act)
}

/**
 * The same for those who only look: works beside a process that has the directory open, by its files. Where nobody has, it is opened as
 * withExistingLog does, which brings to light what a process that was killed committed last; but not where nothing may be written.
 * Errors: FILE_UNREADABLE and those of EmbeddedLog.open and ReadOnlyLog.open.
 */
export async function withLogView<T>(data: string, act: (log: LogView) => Promise<T>): Promise<T> {
  const existing = await existingLog(data)
  return closing((await openUnlessHeld(existing)) ?? (await openToRead(existing)), act)
}

/** The same for those who stay: others can open the directory to write while `act` runs. */
export async function withFollowedLog<T>(data: string, act: (log: ReadOnlyLog) => Promise<T>): Promise<T> {
  const existing = await existingLog(data)
  await (await openUnlessHeld(existing))?.close()
  return closing(await openToRead(existing), act)
}

interface ExistingLog extends Beside {
  readonly directory: string
}

async function existingLog(data: string): Promise<ExistingLog> {
  return { directory: await logDirectoryOf(data), ...(await besideLog(data)) }
}

function openToWrite(existing: ExistingLog): Promise<EmbeddedLog> {
  return openEmbeddedLog({ ...existing, clock: realClock, logger: silentLogger })
}

async function openToRead({ directory, traces }: ExistingLog): Promise<ReadOnlyLog> {
  try {
    return await ReadOnlyLog.open({ fs: new NodeFileSystem(directory), traces, clock: realClock })
  } catch (error) {
    throw error instanceof StreamError || error instanceof AssertionError
      ? error
      : fileUnreadable(directory, error as NodeJS.ErrnoException)
  }
}

async function openUnlessHeld(existing: ExistingLog): Promise<EmbeddedLog | undefined> {
  if (await holderOf(existing.directory)) return undefined
  try {
    return await openToWrite(existing)
  } catch (error) {
    // Somebody came in between; or it is only to be read from here.
    if (codeOf(error) === 'LOG_LOCKED' || codeOf(error) === 'FILE_UNWRITABLE') return undefined
    throw error
  }
}

async function closing<L extends { close(): Promise<void> }, T>(log: L, act: (log: L) => Promise<T>): Promise<T> {
  try {
    return await act(log)
  } finally {
    await log.close()
  }
}
