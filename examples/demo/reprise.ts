import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The built command line, as a user would run it. */
const cli = fileURLToPath(new URL('../../dist/deploy/cli/main.js', import.meta.url))

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

/** Bytes of all files below a directory; without the log's reserve, which holds nothing. */
export function bytesIn(dir: string): number {
  if (!existsSync(dir)) return 0
  let sum = 0
  for (const entry of readdirSync(dir, { withFileTypes: true, recursive: true })) {
    if (entry.isFile() && entry.name !== 'reserve')
      sum += statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0
  }
  return sum
}

export function isBuilt(): boolean {
  return existsSync(cli)
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
