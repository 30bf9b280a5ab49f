import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { StreamError } from '../engine/errors.ts'
import type { KnownEnd } from '../engine/log/embedded/known-ends.ts'
import { NodeFileSystem } from '../engine/log/embedded/node-file-system.ts'
import { taskName } from '../engine/runtime/plan.ts'
import { isManifest, readManifest } from '../state/checkpoint/manifest.ts'
import { DirectoryCheckpointStore } from '../state/directory-checkpoint-store.ts'
import { fileUnreadable } from './file-unreadable.ts'

/** How far the tasks of a data directory came at least, as their checkpoints show. FILE_UNREADABLE. */
export async function knownEndsIn(data: string): Promise<KnownEnd[]> {
  const folder = path.join(data, 'checkpoints')
  try {
    const found = await readdir(folder, { withFileTypes: true })
    const tasks = found.filter((entry) => entry.isDirectory()).map(({ name }) => name)
    return (await Promise.all(tasks.map((task) => endsOf(folder, task)))).flat()
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT') return []
    throw fileUnreadable(folder, cause as NodeJS.ErrnoException)
  }
}

async function endsOf(folder: string, task: string): Promise<KnownEnd[]> {
  const files = new DirectoryCheckpointStore(new NodeFileSystem(path.join(folder, task)))
  const known: KnownEnd[] = []
  for (const name of ((await readable(files.list())) ?? []).filter(isManifest)) {
    const manifest = await readable(readManifest(files, name))
    if (manifest === undefined) continue
    const { job, version, task: number, seq } = manifest
    known.push({ producer: taskName(job, version, number), seq, shownBy: path.join('checkpoints', task, name) })
  }
  return known
}

/** What is damaged, or gone meanwhile, shows nothing. */
async function readable<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (error instanceof StreamError) return undefined
    throw error
  }
}
