import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { openJobFile } from '../../deploy/load-job-file.ts'
import { realClock } from '../../deploy/real-clock.ts'
import { silentLogger } from '../../engine/ports/world.ts'
import { persistently, ServerProcess } from './server-process.ts'
import { numbers, stateless } from './server-under-test.ts'

/** Each record takes some milliseconds: a slice of a hundred about a second. */
const slow = stateless('slow', 'spins()').replace(
  'export default',
  'const spins = () => { let x = 0; for (let i = 0; i < 1e6; i++) x = (x + i) % 7; return x > 7 }\nexport default',
)

test('SIGTERM: not ready at once and for good, changes are refused with the reason, followers are told, versions finish; the next start goes on', {
  timeout: 90_000,
}, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'reprise-stop-'))
  symlinkSync(fileURLToPath(new URL('../../node_modules', import.meta.url)), join(dir, 'node_modules'))
  writeFileSync(join(dir, 'job.ts'), slow)
  const server = await ServerProcess.on(join(dir, 'data'), ['--json', '--set', 'sliceRecordsMax=100'])
  try {
    await server.start()
    await server.api.post('/api/v1/topics/slow/records?time=at', numbers(0, 1000))
    const { bundle } = await openJobFile(join(dir, 'job.ts'), silentLogger)
    await server.api.post('/api/v1/versions', { bundle, createTopics: true })
    await persistently(async () => {
      const { items } = await server.api.get<{ items: unknown[] }>('/api/v1/topics/slow-out/records')
      expect(items.length).toBeGreaterThan(0)
    })
    const following = fetch(`${server.url}/api/v1/topics/slow-out/follow`)
    await following
    const stopped = server.stop()
    await realClock.sleep(50)
    const ready = await fetch(`${server.url}/readyz`)
    expect([ready.status, await ready.text()]).toEqual([503, '[-]log closing\n'])
    expect((await fetch(`${server.url}/livez`)).status).toBe(200)
    const refused = await fetch(`${server.url}/api/v1/topics/slow/records`, {
      method: 'POST',
      body: '{}',
      headers: { 'content-type': 'application/json' },
    })
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5'])
    expect(await refused.json()).toMatchObject({ code: 'SERVER_STOPPING' })
    let over = false
    const ended = stopped.finally(() => (over = true))
    while (!over) {
      const answer = await fetch(`${server.url}/readyz`).catch(() => undefined)
      expect(answer?.ok ?? false).toBe(false)
    }
    const { code, stderr } = await ended
    expect(code, stderr).toBe(0)
    expect(await (await following).text()).toContain('event: bye')
    expectBoundLines(stderr)
    await server.start()
    await persistently(async () => {
      const { end } = await server.api.get<{ end: string }>('/api/v1/topics/slow-out/records?limit=1')
      expect(end).toBe('1000')
    }, 60_000)
    await server.stop()
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})

/** What a version or a task says carries whose it is, once. */
function expectBoundLines(stderr: string): void {
  const lines = stderr.split('\n').filter((line) => line.startsWith('{'))
  const parsed = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  const of = (message: string) => {
    const found = parsed.filter(({ msg }) => msg === message)
    expect(found, message).not.toEqual([])
    return found
  }
  for (const message of ['version started', 'version ended'])
    for (const line of of(message)) expect(line).toMatchObject({ job: 'slow', version: 'v1' })
  for (const message of ['task recovered', 'checkpoint published'])
    for (const line of of(message)) expect(line).toMatchObject({ job: 'slow', version: 'v1', task: 0 })
  for (const line of lines) expect(line.match(/"job":/g)?.length ?? 0, line).toBeLessThan(2)
}
