import { mkdirSync, writeFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import { dirname } from 'node:path'
import type { CpuProfile } from './profile.ts'

/** Takes a CPU profile of a stretch of this process: of what is measured, not of its preparation. */
export class Profiler {
  private readonly session = new Session()
  private readonly path: string

  /** @param path of the file to write, for Chrome's developer tools and for profileTable. */
  constructor(path: string) {
    this.path = path
  }

  async start(): Promise<void> {
    this.session.connect()
    await this.session.post('Profiler.enable')
    await this.session.post('Profiler.setSamplingInterval', { interval: 500 })
    await this.session.post('Profiler.start')
  }

  async stop(): Promise<void> {
    const { profile } = (await this.session.post('Profiler.stop')) as { profile: CpuProfile }
    this.session.disconnect()
    mkdirSync(dirname(this.path), { recursive: true })
    writeFileSync(this.path, JSON.stringify(profile))
  }
}
