import { existsSync, statSync } from 'node:fs'
import { mkdtemp, open, readdir, rm, stat, statfs } from 'node:fs/promises'
import { availableParallelism, totalmem } from 'node:os'
import path from 'node:path'
import { AssertionError } from '../engine/assert.ts'
import { StreamError } from '../engine/errors.ts'
import { holderOf } from '../engine/log/embedded/directory-lock.ts'
import { NodeFileSystem } from '../engine/log/embedded/node-file-system.ts'
import { openEmbeddedLog } from '../engine/log/embedded/open-embedded-log.ts'
import { type Beside, verifyLog } from '../engine/log/embedded/verify-log.ts'
import { silentLogger } from '../engine/ports/world.ts'
import { checkpointFaults } from '../state/checkpoint/checkpoint-faults.ts'
import { DirectoryCheckpointStore } from '../state/directory-checkpoint-store.ts'
import { besideLog } from './beside-log.ts'
import { fileUnreadable } from './file-unreadable.ts'
import { packageVersion } from './package-version.ts'
import { realClock } from './real-clock.ts'
import { ThreadPriority } from './server/thread-priority.ts'

export interface Check {
  readonly name: string
  readonly state: 'ok' | 'warning' | 'failed'
  readonly text: string
  readonly fix?: string
  /** Numbers behind the text, units in their names. */
  readonly values: Readonly<Record<string, unknown>>
}

/** Looks at the machine and a data directory. Writes a few small files beside the directory, or in it, and removes them. */
export async function checkMachine(data: string): Promise<Check[]> {
  const beside = nearestExisting(path.resolve(data))
  return [checkNode(), checkMemory(), checkClock(), await checkDisk(beside), await checkSync(beside), ...(await checkData(data))]
}

function checkNode(): Check {
  const [major, minor] = process.versions.node.split('.').map(Number) as [number, number]
  const values = { node: process.version, reprise: packageVersion(), platform: `${process.platform} ${process.arch}` }
  const text = `reprise ${values.reprise}, Node.js ${values.node}, ${values.platform}`
  if (major > 20 || (major === 20 && minor >= 19)) return { name: 'versions', state: 'ok', text, values }
  return { name: 'versions', state: 'failed', text, fix: 'Node.js 20.19 or later is needed', values }
}

function checkMemory(): Check {
  const values = { cores: availableParallelism(), memoryBytes: totalmem(), priorities: new ThreadPriority().adjustable }
  return {
    name: 'machine',
    state: 'ok',
    text: `${values.cores} ${values.cores === 1 ? 'core' : 'cores'}, ${gigabytes(values.memoryBytes)} memory; ${values.priorities ? 'a version that publishes may go before the others' : 'all versions have the same priority'}`,
    values,
  }
}

const released = Date.UTC(2025, 0, 1)

function checkClock(): Check {
  const now = realClock.now()
  const text = new Date(now).toISOString()
  const values = { now: text }
  if (now >= released) return { name: 'clock', state: 'ok', text, values }
  return {
    name: 'clock',
    state: 'failed',
    text: `${text}, before this release was made`,
    fix: 'set the clock: append times come from it',
    values,
  }
}

async function checkDisk(directory: string): Promise<Check> {
  const { bavail, bsize, blocks } = await statfs(directory)
  const values = { directory, freeBytes: bavail * bsize, sizeBytes: blocks * bsize }
  const text = `${gigabytes(values.freeBytes)} free of ${gigabytes(values.sizeBytes)} at ${directory}`
  if (values.freeBytes >= 2 ** 30) return { name: 'disk', state: 'ok', text, values }
  return { name: 'disk', state: 'warning', text, fix: 'make room: below 1 GB the log soon refuses records', values }
}

const syncs = 40

/** How long a commit of a few records takes at least: it is one write and one sync. */
async function checkSync(directory: string): Promise<Check> {
  const aside = await mkdtemp(path.join(directory, '.reprise-doctor-')).catch((cause: NodeJS.ErrnoException) => cause)
  if (aside instanceof Error) {
    const values = { directory, reason: aside.code }
    return { name: 'sync', state: 'failed', text: `${directory} can not be written: ${aside.code}`, fix: 'check its permissions', values }
  }
  try {
    const times = await timeSyncs(path.join(aside, 'probe'))
    const values = { p50Ms: times[syncs >> 1]!, maxMs: times[syncs - 1]! }
    const text = `a synced write of 4 KiB takes ${values.p50Ms.toFixed(2)} ms, at most ${values.maxMs.toFixed(2)} ms`
    if (values.p50Ms <= 20) return { name: 'sync', state: 'ok', text, values }
    return { name: 'sync', state: 'warning', text, fix: 'each commit takes this long: use a faster disk for low latency', values }
  } finally {
    await rm(aside, { recursive: true, force: true })
  }
}

async function timeSyncs(name: string): Promise<number[]> {
  const file = await open(name, 'wx')
  try {
    const times: number[] = []
    const block = Buffer.alloc(4096, 1)
    for (let i = 0; i < syncs; i++) {
      const start = realClock.monotonic()
      await file.write(block, 0, block.length, i * block.length)
      await file.datasync()
      times.push(realClock.monotonic() - start)
    }
    return times.sort((a, b) => a - b)
  } finally {
    await file.close()
  }
}

/** What is in the directory, if nobody has it open: whether it opens, then every byte of it. */
async function checkData(data: string): Promise<Check[]> {
  const directory = path.join(data, 'log')
  if (existsSync(data) && !statSync(data).isDirectory()) {
    const values = { data, exists: true }
    return [{ name: 'data', state: 'failed', text: `${data} is no directory`, fix: 'name a directory with --data', values }]
  }
  const found = await stat(directory).catch((error: NodeJS.ErrnoException) => error)
  if (found instanceof Error && found.code === 'ENOENT')
    return [{ name: 'data', state: 'ok', text: `${data} holds no log yet`, values: { data, exists: false } }]
  try {
    const beside = await besideLog(data)
    const opens = await checkOpening(data, directory, beside)
    return opens.values.code === undefined || opens.values.code === 'FILE_UNWRITABLE'
      ? [opens, await checkLog(directory, beside), await checkCheckpoints(path.join(data, 'checkpoints'))]
      : [opens]
  } catch (error) {
    return [failedData(data, error)]
  }
}

async function checkOpening(data: string, directory: string, beside: Beside): Promise<Check> {
  try {
    const start = realClock.monotonic()
    const holder = await holderOf(directory)
    // Whose files change while they are read, also where we could not take the directory from it.
    if (holder !== undefined) throw new StreamError('LOG_LOCKED', { directory, pid: holder.pid, host: holder.host })
    const log = await openEmbeddedLog({ directory, clock: realClock, logger: silentLogger, ...beside })
    const topics = log.topics()
    await log.close()
    const values = { data, exists: true, topics: topics.length, openMs: realClock.monotonic() - start }
    return { name: 'data', state: 'ok', text: `${data} opens, ${topics.length} topics, ${values.openMs.toFixed(0)} ms`, values }
  } catch (error) {
    return failedData(data, error)
  }
}

function failedData(data: string, error: unknown): Check {
  if (error instanceof AssertionError) throw error
  const { code, details, message, fix } = error instanceof StreamError ? error : fileUnreadable(data, error as NodeJS.ErrnoException)
  const values = { data, exists: true, code, details }
  if (code === 'LOG_LOCKED') return { name: 'data', state: 'ok', text: `${data} is in use by process ${details.pid}`, values }
  return { name: 'data', state: 'failed', text: message, fix: fix ?? `see docs/errors/${code}.md`, values }
}

async function checkLog(directory: string, beside: Beside): Promise<Check> {
  const { faults, files, bytes } = await verifyLog(new NodeFileSystem(directory), beside)
  const values = { files, bytes, faults }
  if (faults.length === 0) return { name: 'log', state: 'ok', text: `all ${files} log files read, ${gigabytes(bytes)}, no damage`, values }
  const [{ file, position, what }] = faults as [(typeof faults)[number]]
  const text = `${faults.length} damaged places, the first in ${file} at ${position}: ${what}`
  return { name: 'log', state: 'failed', text, fix: 'reprise log verify lists them; docs/errors/LOG_CORRUPT.md says what to do', values }
}

async function checkCheckpoints(directory: string): Promise<Check> {
  const tasks = existsSync(directory) ? (await readdir(directory)).sort() : []
  let whole = 0
  const damaged: string[] = []
  for (const task of tasks) {
    const report = await checkpointFaults(new DirectoryCheckpointStore(new NodeFileSystem(path.join(directory, task))))
    whole += report.whole
    damaged.push(...report.damaged.map((file) => path.join(task, file)))
  }
  const values = { tasks: tasks.length, whole, damaged }
  if (damaged.length === 0)
    return { name: 'checkpoints', state: 'ok', text: `${whole} checkpoints of ${tasks.length} tasks, no damage`, values }
  const text = `${damaged.length} damaged files, the first ${damaged[0]}; ${whole} checkpoints are whole`
  return {
    name: 'checkpoints',
    state: 'warning',
    text,
    fix: 'none is needed: the older checkpoint is taken, or state is made again from the log',
    values,
  }
}

function nearestExisting(directory: string): string {
  return existsSync(directory) ? directory : nearestExisting(path.dirname(directory))
}

function gigabytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GB`
}
