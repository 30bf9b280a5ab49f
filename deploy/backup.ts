import { copyFileSync, linkSync, mkdirSync, readdirSync } from 'node:fs'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { StreamError } from '../engine/errors.ts'
import { copyFile } from '../engine/log/embedded/backup.ts'
import type { EmbeddedLog } from '../engine/log/embedded/embedded-log.ts'
import { NodeFileSystem } from '../engine/log/embedded/node-file-system.ts'
import { isUnfinished } from '../state/directory-checkpoint-store.ts'
import { makeWithParents } from './make-directory.ts'

/**
 * Copies a data directory as of one point of its log, while versions work in it: the log, and the checkpoints there are at that point, which
 * are never ahead of it and need no journal that it lacks. What is only a cache (`spill/`) is left out.
 * @param to a directory that is not there yet or is empty; while it is copied it has another name, so what has this one is whole.
 * @returns the bytes copied.
 * Errors: FILE_UNWRITABLE, DISK_FULL, LOG_CORRUPT (a file is shorter than recorded).
 */
export async function backUpData(log: EmbeddedLog, directory: string, to: string, signal: AbortSignal): Promise<number> {
  await checkBackupTarget(directory, to)
  const target = path.resolve(to)
  const unfinished = unfinishedName(target)
  const frozen = frozenIn(directory)
  signal.throwIfAborted()
  await writing(unfinished, async () => {
    await makeWithParents(path.dirname(target))
    await mkdir(unfinished)
  })
  try {
    const ofLog = path.join(unfinished, 'log')
    await mkdir(ofLog)
    const freeze = () => linkCheckpoints(path.join(directory, 'checkpoints'), frozen)
    const bytes = await log.backup(new NodeFileSystem(ofLog), { atThatPoint: freeze, signal })
    const more = await copyCheckpoints(frozen, path.join(unfinished, 'checkpoints'), signal)
    await new NodeFileSystem(unfinished).syncDirectory()
    await writing(target, () => rename(unfinished, target))
    await new NodeFileSystem(path.dirname(target)).syncDirectory()
    return bytes + more
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true })
    throw error
  } finally {
    await rm(frozen, { recursive: true, force: true })
  }
}

/** Removes what a process that was killed meanwhile has left: it holds the space of checkpoints that are gone. */
export async function clearUnfinishedBackup(directory: string): Promise<void> {
  await rm(frozenIn(directory), { recursive: true, force: true })
}

const frozenIn = (directory: string): string => path.join(directory, 'checkpoints.frozen')

/** FILE_UNWRITABLE unless a backup of the directory can be made there. */
export async function checkBackupTarget(directory: string, to: string): Promise<void> {
  const target = path.resolve(to)
  const entries = await entriesOf(target)
  const refused = (file: string, reason: string, fix: string) => new StreamError('FILE_UNWRITABLE', { file, reason }, { fix })
  if (`${target}${path.sep}`.startsWith(`${path.resolve(directory)}${path.sep}`))
    throw refused(target, 'it is in the directory that is copied', 'name one outside of it')
  if (entries === 'file' || (entries?.length ?? 0) > 0) {
    throw refused(target, entries === 'file' ? 'it is a file' : 'it is not empty', 'name a directory that is not there yet')
  }
  const unfinished = unfinishedName(target)
  if ((await entriesOf(unfinished)) !== undefined)
    throw refused(unfinished, 'it is of a backup that is under way or was ended', 'remove it, or name another directory')
}

const unfinishedName = (target: string): string => `${target}.unfinished`

/** Undefined: there is nothing of this name. */
async function entriesOf(directory: string): Promise<readonly string[] | 'file' | undefined> {
  try {
    return await readdir(directory)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    if (code === 'ENOTDIR') return 'file'
    throw new StreamError('FILE_UNWRITABLE', { file: directory, reason: code }, { cause })
  }
}

async function writing(file: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work()
  } catch (cause) {
    throw new StreamError('FILE_UNWRITABLE', { file, reason: (cause as NodeJS.ErrnoException).code }, { cause })
  }
}

/**
 * Gives the files a second name each, at once, under which they stay: none is ever changed. One that goes meanwhile is of a checkpoint
 * that a newer one replaced, or of a version that was removed.
 */
function linkCheckpoints(from: string, to: string): void {
  mkdirSync(to)
  for (const task of namesIn(from)) {
    mkdirSync(path.join(to, task))
    for (const name of namesIn(path.join(from, task)))
      if (!isUnfinished(name)) unlessGone(() => link(path.join(from, task, name), path.join(to, task, name)))
  }
}

const namesIn = (directory: string): readonly string[] => unlessGone(() => readdirSync(directory)) ?? []

/** Where the file system has no second names: a copy. */
function link(from: string, to: string): void {
  try {
    linkSync(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw error
    copyFileSync(from, to)
  }
}

function unlessGone<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}

async function copyCheckpoints(from: string, to: string, signal: AbortSignal): Promise<number> {
  let bytes = 0
  await mkdir(to)
  for (const task of await readdir(from)) {
    await mkdir(path.join(to, task))
    const [source, target] = [from, to].map((parent) => new NodeFileSystem(path.join(parent, task))) as [NodeFileSystem, NodeFileSystem]
    for (const name of await source.list()) bytes += await copyFile(source, target, name, { signal })
    await target.syncDirectory()
  }
  await new NodeFileSystem(to).syncDirectory()
  return bytes
}
