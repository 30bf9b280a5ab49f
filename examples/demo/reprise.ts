import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The built command line, as a user would run it. */
export const cli = fileURLToPath(new URL('../../dist/deploy/cli/main.js', import.meta.url))

const sources = ['index.ts', 'engine', 'operators', 'state', 'replay', 'deploy']

/** What `reprise run --json` says at its end. */
export interface Summary {
  readonly in: number
  /** By topic. */
  readonly out: Readonly<Record<string, number>>
  readonly late: number
  readonly recordsPerSecond: number
  readonly outputDigest: string
}

/** A record as `reprise log tail --json` shows it. */
export interface TopicRecord {
  readonly partition: number
  readonly offset: number
  readonly key: string | null
  readonly value: unknown
}

export interface Run {
  readonly job: string
  readonly dataDir: string
  readonly flights: string
}

/** Runs a job over all flights and waits for it. */
export async function runToEnd(run: Run): Promise<Summary> {
  return JSON.parse(await output(runArguments(run))) as Summary
}

/**
 * Runs a job and kills its process, without warning, as soon as `due` says so.
 * @returns false when the process ended by itself before.
 */
export async function runAndKill(run: Run, due: () => boolean): Promise<boolean> {
  const child = start(runArguments(run))
  const ended = once(child, 'close')
  while (child.exitCode === null && child.signalCode === null) {
    if (due()) {
      child.kill('SIGKILL')
      break
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
  await ended
  return child.signalCode === 'SIGKILL'
}

/** All records of a topic, in order of partition and offset; none when there is no such topic yet. */
export async function readTopic(dataDir: string, topic: string): Promise<TopicRecord[]> {
  const text = await output(['log', 'tail', topic, '--data', dataDir, '-o', 'beginning', '--json'])
  const records = text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as TopicRecord]))
  return records.sort((a, b) => a.partition - b.partition || a.offset - b.offset)
}

/** The number of records in each topic; none when nothing was written yet. */
export async function recordCounts(dataDir: string): Promise<Readonly<Record<string, number>>> {
  const { topics } = JSON.parse(await output(['topics', '--all', '--data', dataDir, '--json'])) as {
    topics: readonly { name: string; partitions: readonly { start: number; end: number }[] }[]
  }
  return Object.fromEntries(topics.map(({ name, partitions }) => [name, partitions.reduce((sum, { start, end }) => sum + end - start, 0)]))
}

/** The file that the log appends to: each life of a process begins one of its own. */
export function newestLogFile(dataDir: string): { readonly name: string; readonly bytes: number } {
  return logFiles(dataDir, '.log').at(-1) ?? { name: '', bytes: 0 }
}

/** Bytes of all that was committed, roughly: what was appended is moved into segments later, and may be there twice for a while. */
export function bytesInLog(dataDir: string): number {
  return Math.max(...['.log', '.segment'].map((ending) => logFiles(dataDir, ending).reduce((sum, { bytes }) => sum + bytes, 0)))
}

/** The log's files of a kind, oldest first. */
function logFiles(dataDir: string, ending: string): { name: string; bytes: number }[] {
  const dir = join(dataDir, 'log')
  if (!existsSync(dir)) return []
  const names = readdirSync(dir).filter((name) => name.endsWith(ending))
  return names.sort().map((name) => ({ name, bytes: statSync(join(dir, name), { throwIfNoEntry: false })?.size ?? 0 }))
}

/** Whether the built command line is there and not older than its sources. */
export function isBuilt(): boolean {
  if (!existsSync(cli)) return false
  const builtAt = statSync(cli).mtimeMs
  return sources.every((source) => newestChange(fileURLToPath(new URL(`../../${source}`, import.meta.url))) < builtAt)
}

function runArguments({ job, dataDir, flights }: Run): string[] {
  return ['run', job, '--data', dataDir, '--ingest', `flights=${flights}`, '--complete', '--json']
}

function start(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Standard output of a command that must succeed. */
async function output(args: readonly string[]): Promise<string> {
  const child = start(args)
  const text = { out: '', err: '' }
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (text.out += chunk))
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (text.err += chunk))
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`reprise ${args.join(' ')} ended with exit code ${code}\n${text.err}`)
  return text.out
}

/** Compiles the repository into dist. @returns what it was done with. */
export async function build(): Promise<string> {
  const child = spawn('npm', ['run', 'build'], {
    cwd: fileURLToPath(new URL('../../', import.meta.url)),
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error('npm run build failed')
  return 'npm run build: the command line in dist'
}

function newestChange(path: string): number {
  const own = statSync(path)
  if (!own.isDirectory()) return own.mtimeMs
  return Math.max(own.mtimeMs, ...readdirSync(path).map((name) => newestChange(join(path, name))))
}
