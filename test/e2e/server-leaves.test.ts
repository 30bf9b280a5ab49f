import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { openJobFile } from '../../deploy/load-job-file.ts'
import type { JobView, VersionView } from '../../deploy/server/views.ts'
import { silentLogger } from '../../engine/ports/world.ts'
import { persistently, ServerProcess } from './server-process.ts'

const rounds = process.env.REPRISE_FULL === '1' ? 50 : 10

test(`${rounds} versions deployed and given up leave nothing behind: no topic, file, thread or metric series`, {
  timeout: 60_000 + rounds * 10_000,
}, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'reprise-leaves-'))
  symlinkSync(fileURLToPath(new URL('../../node_modules', import.meta.url)), join(dir, 'node_modules'))
  const data = join(dir, 'data')
  const server = await ServerProcess.on(data, ['--hold', '0s', '--quiet'])
  await server.start()
  try {
    const { api } = server
    await api.post(
      '/api/v1/topics/in/records?key=key',
      Array.from({ length: 500 }, (_, n) => ({ key: `k${n % 7}`, n })),
    )
    const deploy = async (round: number) => {
      const folder = join(dir, `job-${round}`)
      mkdirSync(folder)
      writeFileSync(join(folder, 'job.ts'), job(round))
      const { bundle } = await openJobFile(join(folder, 'job.ts'), silentLogger)
      return (await api.post<VersionView>('/api/v1/versions', { bundle, parallelism: 1 + (round % 2) })).version
    }
    await deploy(0)
    await settled(1)
    const before = await found()
    for (let round = 1; round <= rounds; round++) {
      const version = await deploy(round)
      await settled(version)
      await api.post('/api/v1/jobs/leaves/abort', { version })
    }
    await persistently(async () => expect(await found()).toEqual(before), 20_000)
    expect((await view()).versions).toHaveLength(rounds + 1)

    async function found() {
      const { items } = await api.get<{ items: { topic: string }[] }>('/api/v1/topics')
      const metrics = await (await fetch(`${server.url}/metrics`)).text()
      return {
        topics: items.map(({ topic }) => topic).filter((topic) => topic !== 'reprise.audit'),
        files: ['checkpoints', 'spill'].map((folder) => readdirSync(join(data, folder))),
        versions: [...new Set([...metrics.matchAll(/version="(v\d+)"/g)].map(([, version]) => version))],
        // Of no version: as many as before. Calls of the test itself aside.
        series: [...metrics.matchAll(/^reprise_(?!api_)\w+(?:\{.*\})?(?= )/gm)].flat().filter((series) => !/version="v\d+"/.test(series)),
        threads: /^Threads:\s+(\d+)$/m.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1],
      }
    }

    function view(): Promise<JobView> {
      return api.get('/api/v1/jobs/leaves')
    }

    /** It has taken everything, and its metrics are there. */
    async function settled(version: number): Promise<void> {
      await persistently(async () => {
        const { partitions } = (await view()).versions.find((one) => one.version === version)!
        expect(partitions.map(({ current }) => current)).toEqual(['500'])
        const metrics = await (await fetch(`${server.url}/metrics`)).text()
        expect(metrics).toContain(`reprise_job_version_active{reprise_job="leaves",version="v${version}"}`)
        expect(metrics).toContain(`reprise_log_size_bytes{topic="leaves.v${version}.private.leaves-out"}`)
      })
    }
  } finally {
    await server.stop()
    rmSync(dir, { recursive: true, force: true })
  }
})

function job(round: number): string {
  return `import { count, defineJob, tumbling, topic } from 'reprise'
import { z } from 'zod'
const input = topic('in', { value: z.object({ key: z.string(), n: z.number() }), key: ({ key }) => key })
const out = topic('leaves-out', { codec: 'json' })
export default defineJob('leaves', (job) => {
  job.from(input).keyBy('by-key', ({ key }) => key).window('counts', tumbling('1s')).aggregate({ ['n${round}']: count() }).to(out)
})
`
}
