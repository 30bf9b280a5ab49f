import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { openJobFile } from '../../deploy/load-job-file.ts'
import type { JobView, VersionView } from '../../deploy/server/views.ts'
import { silentLogger } from '../../engine/ports/world.ts'
import type { ControlEvent } from '../../replay/control-event.ts'
import { persistently, ServerProcess } from './server-process.ts'

// An even number: the last one to publish has as many tasks as the first.
const rounds = process.env.REPRISE_FULL === '1' ? 50 : 4
const bakeMs = 1000
/** Versions of the job, not that of Node.js. */
const named = /\bv\d+\b(?!\.\d)/g

test(`${rounds} versions given up and ${rounds} that published until their time to go back was over leave nothing behind: no topic, file, thread or metric series`, {
  timeout: 60_000 + rounds * 20_000,
}, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'reprise-leaves-'))
  symlinkSync(fileURLToPath(new URL('../../node_modules', import.meta.url)), join(dir, 'node_modules'))
  const data = join(dir, 'data')
  const server = await ServerProcess.on(data, ['--hold', '0s', '--bake-time', `${bakeMs}ms`, '--quiet'])
  await server.start()
  try {
    const { api } = server
    await api.post(
      '/api/v1/topics/in/records?key=key',
      Array.from({ length: 500 }, (_, n) => ({ key: `k${n % 7}`, n })),
    )
    await deploy(2)
    // With all that a server counts of a job once it has had a cut-over.
    await takeTurns(0)
    const before = await persistently(() => leftBy(2))
    for (let round = 1; round <= rounds; round++) {
      await giveUp(round)
      await takeTurns(round)
    }
    const all = 2 + 2 * rounds
    await persistently(async () => expect(await leftBy(all)).toEqual(before), 20_000)
    expect((await view()).versions.map(({ role }) => role).sort()).toEqual([
      ...Array<string>(rounds).fill('aborted'),
      'active',
      ...Array<string>(rounds + 1).fill('retired'),
    ])
    await checkBakeTimes()

    async function giveUp(round: number): Promise<void> {
      const version = await deploy(1 + (round % 2))
      await api.post('/api/v1/jobs/leaves/abort', { version })
    }

    async function takeTurns(round: number): Promise<void> {
      const version = await deploy(2 - (round % 2))
      await persistently(() => api.post('/api/v1/jobs/leaves/promote', { version }))
      await persistently(async () => expect((await view()).active).toBe(version))
    }

    /** A version that has taken everything, and whose metrics are there. */
    async function deploy(parallelism: number): Promise<number> {
      const folder = mkdtempSync(join(dir, 'job-'))
      writeFileSync(join(folder, 'job.ts'), job(folder))
      const { bundle } = await openJobFile(join(folder, 'job.ts'), silentLogger)
      const { version } = await api.post<VersionView>('/api/v1/versions', { bundle, parallelism })
      await persistently(async () => {
        const { partitions } = (await view()).versions.find((one) => one.version === version)!
        expect(partitions.map(({ current }) => current)).toEqual(['500'])
        const shown = await metrics()
        expect(shown).toContain(`reprise_job_version_active{reprise_job="leaves",version="v${version}"}`)
        expect(shown).toContain(`reprise_log_size_bytes{topic="leaves.v${version}.private.leaves-out"}`)
      })
      return version
    }

    /** What there is, called v* where it is of this version; nothing is of another one. */
    async function leftBy(version: number): Promise<object> {
      const { items } = await api.get<{ items: { topic: string }[] }>('/api/v1/topics')
      const left = JSON.stringify({
        topics: items.map(({ topic }) => topic).filter((topic) => topic !== 'reprise.audit'),
        files: ['checkpoints', 'spill'].map((folder) => readdirSync(join(data, folder))),
        // Calls of the test itself aside.
        series: [...(await metrics()).matchAll(/^reprise_(?!api_)\w+(?:\{.*\})?(?= )/gm)].flat(),
        threads: /^Threads:\s+(\d+)$/m.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1],
      })
      expect([...new Set(left.match(named))]).toEqual([`v${version}`])
      return JSON.parse(left.replaceAll(named, 'v*'))
    }

    async function checkBakeTimes(): Promise<void> {
      const { items } = await api.get<{ items: { event: ControlEvent }[] }>('/api/v1/jobs/leaves/events')
      const events = items.map(({ event }) => event)
      for (const retired of events.filter(({ type }) => type === 'retired') as Extract<ControlEvent, { type: 'retired' }>[]) {
        const left = events.find((event) => event.type === 'cutOver' && event.from === retired.version)!
        expect(retired.at - left.at).toBeGreaterThanOrEqual(bakeMs)
      }
    }

    async function metrics(): Promise<string> {
      return (await fetch(`${server.url}/metrics`)).text()
    }

    function view(): Promise<JobView> {
      return api.get('/api/v1/jobs/leaves')
    }
  } finally {
    await server.stop()
    rmSync(dir, { recursive: true, force: true })
  }
})

function job(name: string): string {
  return `import { count, defineJob, tumbling, topic } from 'reprise'
import { z } from 'zod'
const input = topic('in', { value: z.object({ key: z.string(), n: z.number() }), key: ({ key }) => key })
const out = topic('leaves-out', { codec: 'json' })
export default defineJob('leaves', (job) => {
  job.from(input).keyBy('by-key', ({ key }) => key).window('counts', tumbling('1s')).aggregate({ [${JSON.stringify(name)}]: count() }).to(out)
})
`
}
