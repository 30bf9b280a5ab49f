import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** The built command line. */
const cli = fileURLToPath(new URL('../../dist/deploy/cli/main.js', import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly pid: number
  kill(signal: NodeJS.Signals): void
  readonly ended: Promise<Ended>
}

/** Starts `reprise ...args`; killed after `timeoutMs` at the latest. */
export function start(
  args: readonly string[],
  { env = {}, input, cwd, timeoutMs = 60_000 }: { env?: Record<string, string>; input?: string; cwd?: string; timeoutMs?: number } = {},
): Running {
  const child = spawn(process.execPath, [cli, ...args], {
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
    cwd,
  })
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const timer = setTimeout(() => {
    stderr += `killed: it ran for the ${timeoutMs / 1000} s a test gives it\n`
    child.kill('SIGKILL')
  }, timeoutMs)
  const ended = once(child, 'close').then(([code, signal]): Ended => {
    clearTimeout(timer)
    return { code: code as number | null, signal: signal as NodeJS.Signals | null, stdout, stderr }
  })
  return { pid: child.pid!, kill: (signal) => void child.kill(signal), ended }
}

/** Runs `reprise ...args` to its end. */
export function reprise(args: readonly string[], options: Parameters<typeof start>[1] = {}): Promise<Ended> {
  return start(args, options).ended
}
