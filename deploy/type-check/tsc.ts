import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'

/** The compiler that a folder's own code would get. @returns the file Node is to run; undefined: none is installed there. */
export async function findTsc(folder: string): Promise<string | undefined> {
  let manifest: string
  try {
    manifest = createRequire(path.join(folder, 'from-here.js')).resolve('typescript/package.json')
  } catch {
    return undefined
  }
  const { bin } = JSON.parse(await readFile(manifest, 'utf8')) as { bin?: string | Record<string, string> }
  const tsc = typeof bin === 'string' ? bin : bin?.tsc
  return tsc === undefined ? undefined : path.resolve(path.dirname(manifest), tsc)
}

export interface TscRun {
  /** Null: it was killed. */
  readonly code: number | null
  readonly output: string
  /** False: it was killed by us, since it took longer than it may. */
  readonly inTime: boolean
}

/** Runs it to its end; paths in its output are relative to `folder`. */
export async function runTsc(tsc: string, args: readonly string[], { folder, ms }: { folder: string; ms: number }): Promise<TscRun> {
  // In a group of its own, so that all of it can be ended: the newer ones begin a second process.
  const child = spawn(process.execPath, [tsc, '--pretty', 'false', ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  let inTime = true
  const timer = setTimeout(() => {
    inTime = false
    endGroup(child.pid!)
  }, ms)
  try {
    const [code] = (await once(child, 'close')) as [number | null]
    return { code, output, inTime }
  } finally {
    clearTimeout(timer)
  }
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It ended just now.
  }
}
