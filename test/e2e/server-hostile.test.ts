import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openJobFile } from '../../deploy/load-job-file.ts'
import { realClock } from '../../deploy/real-clock.ts'
import type { JobView, VersionView } from '../../deploy/server/views.ts'
import { silentLogger } from '../../engine/ports/world.ts'
import { persistently, ServerProcess } from './server-process.ts'

const dir = mkdtempSync(join(tmpdir(), 'reprise-hostile-'))
let server: ServerProcess
let sent = 0

beforeAll(async () => {
  server = await ServerProcess.on(join(dir, 'data'), [
    ...['--watchdog', '5s', '--heap', '96', '--quiet'],
    ...['--disk-quota', '16', '--set', 'checkpointEveryMs=200', '--set', 'sliceRecordsMax=50'],
  ])
  await server.start()
  await deploy(fileURLToPath(new URL('./jobs/kill.ts', import.meta.url)), { createTopics: true })
})
afterAll(async () => {
  await server.stop()
  rmSync(dir, { recursive: true, force: true })
})

const hostile = {
  'throws at a record': { code: 'throw new Error("no")', ends: 'OPERATOR_THREW' },
  'loops for ever': { code: 'for (;;);', ends: 'VERSION_UNRESPONSIVE' },
  'leaks on its heap': { code: 'for (;;) kept.push({ at: [kept.length] })', ends: 'VERSION_OUT_OF_MEMORY' },
  'leaks outside of its heap': {
    code: 'for (let i = 0; i < 2; i++) kept.push(new Uint8Array(4 << 20).fill(1))',
    ends: 'VERSION_OUT_OF_MEMORY',
  },
  // Stops at a gigabyte, and loops on: a server that does not see it ends it as one that does not come back.
  'fills buffers in a loop': {
    code: 'for (let i = 0; i < 128; i++) kept.push(new Uint8Array(8 << 20).fill(1)); for (;;);',
    ends: 'VERSION_OUT_OF_MEMORY',
  },
  'calls process.exit': { code: 'process.exit(0)', ends: 'API_NOT_ALLOWED' },
  'rejects a promise that nobody waits for': { code: 'void Promise.reject(new Error("nobody"))', ends: 'VERSION_CRASHED' },
}

for (const [title, { code, ends }] of Object.entries(hostile)) {
  test(`a version that ${title} is stopped with the reason; all others go on`, { timeout: 60_000 }, async () => {
    const job = `hostile-${title.replaceAll(/\W+/g, '-')}`
    await deploy(hostileJob(job, code))
    await feed(20)
    const { reason } = await persistently(async () => {
      const version = (await view(job)).versions[0]!
      expect([version.health, version.code]).toEqual(['stopped', ends])
      return version
    }, 30_000)
    expect(reason).not.toBe(null)
    await expectOthersGoOn()
  })
}

test('a version that fills its disk is stopped with what it has and may have, also when it publishes; all others go on', {
  timeout: 60_000,
}, async () => {
  await deploy(jobThatKeeps('disk-state'))
  await feed(200)
  const owner = await stoppedForDisk('disk-state', 1)
  expect(owner.role).toBe('active')
  expect(owner.reason).toMatch(/^\d+\.\d MB on disk \(state [1-9]\d+\.\d, topics of its own \d\.\d\), 16\.0 are allowed: .*--disk-quota/)
  await expectOthersGoOn()
  // It has not become less: going on does not help.
  await server.api.post('/api/v1/jobs/disk-state/resume', { version: 1 })
  await persistently(async () => {
    const { items } = await server.api.get<{ items: { event: { type: string } }[] }>('/api/v1/jobs/disk-state/events')
    expect(items.filter(({ event }) => event.type === 'stopped').length).toBe(2)
  }, 30_000)
  // A version that needs less takes over, although the one that publishes has no room to go on.
  await deploy(jobThatKeeps('disk-state', 10))
  await persistently(() => server.api.post('/api/v1/jobs/disk-state/promote', { version: 2, force: true }), 30_000)
  await persistently(async () => expect((await view('disk-state')).active).toBe(2), 30_000)
})

test('private results count: a candidate that gives too much is stopped; the version that publishes is not', {
  timeout: 60_000,
}, async () => {
  await deploy(hostileJob('disk-topics', 'kept.length'))
  await feed(200)
  await deploy(hostileJob('disk-topics', 'return "x".repeat(100_000)'))
  expect((await stoppedForDisk('disk-topics', 2)).reason).toMatch(/topics of its own [1-9]\d+\.\d\), 16\.0 are allowed/)
  const { active, versions } = await view('disk-topics')
  expect([active, versions.find(({ version }) => version === 1)!.health]).toEqual([1, 'running'])
  await expectOthersGoOn()
})

test('a bundle that loops when it is loaded is refused', { timeout: 60_000 }, async () => {
  const file = join(dir, 'loops.ts')
  writeFileSync(file, 'for (;;);\nexport default 1\n')
  const refused = deploy(file)
  await expect(refused).rejects.toThrow(/JOB_LOAD_FAILED.*did not come back/)
  await expect(refused).rejects.toMatchObject({ fix: expect.stringContaining('only defines the job') })
  await expectOthersGoOn()
})

test('a bundle that loops when it is looked at after that is refused, too', { timeout: 60_000 }, async () => {
  const file = join(dir, 'loops-later.ts')
  writeFileSync(file, "let looks = 0\nexport default { job: 'loops', get nodes() { while (looks > 0); looks++; return [] } }\n")
  await expect(deploy(file)).rejects.toThrow(/JOB_LOAD_FAILED.*did not come back/)
  await expectOthersGoOn()
})

function stoppedForDisk(job: string, version: number): Promise<VersionView> {
  return persistently(async () => {
    const found = (await view(job)).versions.find((one) => one.version === version)!
    expect([found.health, found.code]).toEqual(['stopped', 'VERSION_OUT_OF_DISK'])
    return found
  }, 30_000)
}

/** The well-behaved job takes what comes, and the API answers in time. */
async function expectOthersGoOn(): Promise<void> {
  await feed(10)
  const from = performance.now()
  const kill = await view('kill')
  expect(performance.now() - from).toBeLessThan(2000)
  expect(kill.versions[0]!.health).toBe('running')
  await persistently(async () => {
    const taken = (await view('kill')).versions[0]!.partitions.reduce((sum, { current }) => sum + Number(current), 0)
    expect(taken).toBe(sent)
  }, 10_000)
}

async function feed(count: number): Promise<void> {
  const batch = Array.from({ length: count }, (_, i) => ({ key: `k${i % 5}`, at: 1_700_000_000_000 + (sent + i) * 10, value: i }))
  await server.api.post('/api/v1/topics/events/records?key=key&time=at', batch)
  sent += count
  await realClock.sleep(50)
}

function view(job: string): Promise<JobView> {
  return server.api.get<JobView>(`/api/v1/jobs/${job}`)
}

async function deploy(file: string, more: object = {}): Promise<VersionView> {
  const { bundle } = await openJobFile(file, silentLogger)
  return server.api.post<VersionView>('/api/v1/versions', { bundle, ...more })
}

function hostileJob(name: string, code: string): string {
  const file = join(dir, `${name}.ts`)
  writeFileSync(
    file,
    `import { defineJob, topic } from 'reprise'
const kept: unknown[] = []
const events = topic('events', { codec: 'json' })
const out = topic('out-${name}', { codec: 'json' })
export default defineJob('${name}', (job) => {
  job.from(events).map((event) => { ${code}; return { event, kept: kept.length } }).to(out)
})
`,
  )
  return file
}

/** Keeps so much for each record there is: all of them, and there are some hundreds. */
function jobThatKeeps(name: string, bytes = 100_000): string {
  const file = join(dir, `${name}-${bytes}.ts`)
  writeFileSync(
    file,
    `import { defineJob, map, output, topic } from 'reprise'
const events = topic('events', { codec: 'json' })
const out = topic('out-${name}', { codec: 'json' })
export default defineJob('${name}', (job) => {
  job.from(events).keyBy('one', () => 'all').process('keep', {
    state: { all: map() },
    output: output(),
    onRecord({ state, emit }, { at }) {
      state.all.put(at, 'x'.repeat(${bytes}))
      emit({ at })
    },
  }).to(out)
})
`,
  )
  return file
}
