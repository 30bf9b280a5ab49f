import { createServer } from 'node:net'
import { ApiClient } from '../../deploy/client/api-client.ts'
import { realClock } from '../../deploy/real-clock.ts'
import { type Running, start } from './command-line.ts'

/** A server as a process of its own, on one port of loopback through all its lives. */
export class ServerProcess {
  readonly url: string
  readonly api: ApiClient
  private readonly args: readonly string[]
  private running: Running | undefined = undefined
  /** How often it was started. */
  lives = 0

  private constructor(port: number, args: readonly string[]) {
    this.url = `http://127.0.0.1:${port}`
    this.args = ['server', '--port', String(port), ...args]
    this.api = new ApiClient({ url: this.url, user: 'test', timeoutMs: 20_000 })
  }

  /** Not started yet. */
  static async on(data: string, flags: readonly string[] = []): Promise<ServerProcess> {
    return new ServerProcess(await freePort(), ['--data', data, ...flags])
  }

  /** Resolves when it answers. */
  async start(env: Record<string, string> = {}): Promise<void> {
    this.lives++
    const running = start(this.args, { env, timeoutMs: 600_000 })
    this.running = running
    let ended = false
    running.ended.then(() => (ended = true)).catch(() => {})
    for (;;) {
      if (ended) {
        const { signal, stderr } = await running.ended
        // Whoever keeps it alive sees that too.
        if (signal === 'SIGKILL') return
        throw new Error(`the server did not start: ${stderr}`)
      }
      const answer = await fetch(`${this.url}/readyz`).catch(() => undefined)
      if (answer?.ok) return
      await realClock.sleep(20)
    }
  }

  /** Starts it again whenever it was killed, until `work` is done; what it is killed by comes with `env` the first time only. */
  async keptAlive<T>(work: () => Promise<T>, env: Record<string, string>): Promise<T> {
    await this.start(env)
    let over = false
    const guard = async () => {
      while (!over) {
        const { signal, code, stderr } = await this.running!.ended
        if (over) return
        if (signal !== 'SIGKILL') throw new Error(`the server ended with ${code}: ${stderr}`)
        await this.start()
      }
    }
    const guarding = guard()
    try {
      return await Promise.race([work(), guarding.then(() => never<T>())])
    } finally {
      over = true
      await this.stop()
      await guarding
    }
  }

  get pid(): number {
    return this.running!.pid
  }

  kill(): void {
    this.running!.kill('SIGKILL')
  }

  /** A clean stop. */
  async stop(): Promise<Awaited<Running['ended']>> {
    this.running!.kill('SIGTERM')
    return this.running!.ended
  }
}

/** Calls until it succeeds: the server may be dead in between, and what was asked for may have taken place. */
export async function persistently<T>(call: () => Promise<T>, timeoutMs = 60_000): Promise<T> {
  const from = performance.now()
  for (;;) {
    try {
      return await call()
    } catch (error) {
      if (performance.now() - from > timeoutMs) throw error
      await realClock.sleep(50)
    }
  }
}

function never<T>(): Promise<T> {
  return new Promise(() => {})
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise<void>((resolve) => void server.close(() => resolve()))
  return port
}
