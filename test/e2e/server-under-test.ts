import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect } from 'vitest'
import { openJobFile } from '../../deploy/load-job-file.ts'
import type { JobView, VersionView } from '../../deploy/server/views.ts'
import { silentLogger } from '../../engine/ports/world.ts'
import { reprise } from './command-line.ts'
import { persistently, ServerProcess } from './server-process.ts'

/** A server for all tests of one file, stopped cleanly after the last of them, and what tests ask of it. */
export async function serverUnderTest() {
  const dir = mkdtempSync(join(tmpdir(), 'reprise-server-'))
  // Jobs import zod from here.
  symlinkSync(fileURLToPath(new URL('../../node_modules', import.meta.url)), join(dir, 'node_modules'))
  const server = await ServerProcess.on(join(dir, 'data'), ['--hold', '100ms', '--hold-timeout', '5s', '--quiet'])
  await server.start()
  afterAll(async () => {
    const { code, stderr } = await server.stop()
    rmSync(dir, { recursive: true, force: true })
    expect(code, stderr).toBe(0)
  })

  let files = 0
  function fileOf(source: string): string {
    const file = join(dir, String(files++), 'job.ts')
    mkdirSync(dirname(file))
    writeFileSync(file, source)
    return file
  }

  function send(topic: string, values: object[]): Promise<unknown> {
    return server.api.post(`/api/v1/topics/${topic}/records?time=at`, values)
  }

  async function deploy(source: string, more: object = {}): Promise<VersionView> {
    const { bundle } = await openJobFile(fileOf(source), silentLogger)
    return server.api.post<VersionView>('/api/v1/versions', { bundle, ...more })
  }

  function cli(...args: string[]) {
    return reprise([...args, '--server', server.url])
  }

  function view(job: string): Promise<JobView> {
    return server.api.get<JobView>(`/api/v1/jobs/${job}`)
  }

  function until(job: string, version: number, condition: (view: VersionView) => boolean): Promise<VersionView> {
    return persistently(async () => {
      const found = (await view(job)).versions.find((one) => one.version === version)!
      if (!condition(found)) throw new Error(`not yet: ${JSON.stringify(found)}`)
      return found
    }, 20_000)
  }

  function caughtUp(job: string, version: number): Promise<VersionView> {
    return until(job, version, ({ partitions }) => partitions.length > 0 && partitions.every(({ lag, end }) => lag === '0' && end !== '0'))
  }

  async function promote(job: string, version: number): Promise<void> {
    const { code, stderr } = await cli('promote', job, `v${version}`, '--yes')
    expect(code, stderr).toBe(0)
  }

  async function records(topic: string): Promise<{ value: unknown }[]> {
    return (await server.api.get<{ items: { value: unknown }[] }>(`/api/v1/topics/${topic}/records?limit=10000`)).items
  }

  return { dir, server, fileOf, send, deploy, cli, view, until, caughtUp, promote, records }
}

/** Records of `stateless` and `windowed`, a second of event time apart. */
export function numbers(from: number, to: number): object[] {
  return Array.from({ length: to - from }, (_, i) => ({ n: from + i, at: 1_700_000_000_000 + (from + i) * 1000 }))
}

export function stateless(name: string, throwsWhen: string): string {
  return `import { defineJob, topic } from 'reprise'
import { z } from 'zod'
const numbers = topic('${name}', { value: z.object({ n: z.number(), at: z.number() }), eventTime: ({ at }) => at })
const out = topic('${name}-out', { value: z.object({ n: z.number(), half: z.number() }) })
export default defineJob('${name}', (job) => {
  job.from(numbers).map(({ n }) => { if (${throwsWhen}) throw new Error('no'); return { n, half: n / 2 } }).to(out)
})
`
}

export function windowed(size: string, name: string, options = ''): string {
  return `import { count, defineJob, topic, tumbling } from 'reprise'
import { z } from 'zod'
const numbers = topic('${name}', { value: z.object({ n: z.number(), at: z.number() }), eventTime: ({ at }) => at })
const out = topic('${name}-out', { value: z.object({ start: z.number(), count: z.number() }) })
export default defineJob('${name}', (job) => {
  job.from(numbers).keyBy('one', () => 'all').window('all', tumbling('${size}'${options})).aggregate({ count: count() })
    .map((row, { start }) => ({ start, ...row })).to(out)
})
`
}
