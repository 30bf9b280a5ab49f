import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { cli, type TopicRecord } from './reprise.ts'

/** What the demo reads of a version. */
export interface VersionView {
  readonly version: number
  readonly role: string
  readonly phase: 'replaying' | 'caught-up' | null
  readonly progress: {
    readonly ratio: number
    readonly done: string
    readonly target: string
    readonly recordsPerSecond: number | null
    readonly eta: { readonly state: string; readonly seconds?: number }
  } | null
}

export interface JobView {
  readonly active: number | null
  readonly versions: readonly VersionView[]
}

/** `reprise server` as a process of its own, always on the same port, and its API. */
export class Server {
  private readonly port: number
  private readonly dataDir: string
  private process: ChildProcess | undefined = undefined

  private constructor(port: number, dataDir: string) {
    this.port = port
    this.dataDir = dataDir
  }

  static async start(dataDir: string, env: Readonly<Record<string, string>> = {}): Promise<Server> {
    const server = new Server(await freePort(), dataDir)
    await server.start(env)
    return server
  }

  /** Resolves when it answers. */
  async start(env: Readonly<Record<string, string>> = {}): Promise<void> {
    const args = ['server', '--data', this.dataDir, '--port', String(this.port), '--hold', '500ms', '--quiet']
    const child = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, ...env } })
    this.process = child
    while (!(await this.ready())) {
      if (child.exitCode !== null) throw new Error(`the server ended with exit code ${child.exitCode}`)
      await sleep(20)
    }
  }

  /** Resolves when its process is gone. */
  async killed(): Promise<void> {
    const child = this.process!
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  }

  /** A clean stop. */
  async stop(): Promise<void> {
    this.process!.kill('SIGTERM')
    await this.killed()
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  job(name: string): Promise<JobView> {
    return this.call(`/api/v1/jobs/${name}`)
  }

  async call<T>(path: string, body?: string | object, type = 'application/json'): Promise<T> {
    const text = typeof body === 'object' ? JSON.stringify(body) : body
    const init = text === undefined ? {} : { method: 'POST', body: text, headers: { 'content-type': type } }
    const response = await fetch(this.url + path, init)
    const answer = (await response.json()) as T & { detail?: string }
    if (!response.ok) throw new Error(answer.detail)
    return answer
  }

  /** All records of a topic, partition by partition. */
  async records(topic: string): Promise<TopicRecord[]> {
    const { partitions } = await this.call<{ partitions: { partition: number; start: string; end: string }[] }>(`/api/v1/topics/${topic}`)
    const records: TopicRecord[] = []
    for (const { partition, start, end } of partitions) {
      for (let from = Number(start); from < Number(end); ) {
        const path = `/api/v1/topics/${topic}/records?partition=${partition}&from=${from}&limit=10000`
        const page = await this.call<{ items: (Omit<TopicRecord, 'offset'> & { offset: string })[]; next: string }>(path)
        for (const item of page.items) records.push({ ...item, offset: Number(item.offset) })
        from = Number(page.next)
      }
    }
    return records
  }

  private ready(): Promise<boolean> {
    return fetch(`${this.url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    )
  }
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => void probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as { port: number }
  await new Promise<void>((resolve) => void probe.close(() => resolve()))
  return port
}
