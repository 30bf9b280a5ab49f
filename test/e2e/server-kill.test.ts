import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { openJobFile } from '../../deploy/load-job-file.ts'
import { realClock } from '../../deploy/real-clock.ts'
import type { JobView, VersionView } from '../../deploy/server/views.ts'
import { silentLogger } from '../../engine/ports/world.ts'
import { canonical } from '../../examples/reference.ts'
import { type ControlProbePoint, controlProbePoints } from '../../replay/probe-points.ts'
import { Random } from '../support/random.ts'
import { expectedOf, type KillEvent, makeEvents, partitions } from './kill-events.ts'
import { persistently, ServerProcess } from './server-process.ts'

const full = process.env.REPRISE_FULL === '1'
const seed = Number(process.env.KILL_SEED ?? 1)
const dir = mkdtempSync(join(tmpdir(), 'reprise-server-'))
const jobs = ['kill.ts', 'kill-v2.ts'].map((name) => fileURLToPath(new URL(`./jobs/${name}`, import.meta.url)))
let runs = 0

afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** How often a story comes by each of them. */
const passes: Record<ControlProbePoint, number> = {
  'deploy.bundle-stored': 2,
  'deploy.registered': 2,
  'cut-over.hold-requested': 3,
  'cut-over.held': 3,
  'cut-over.decided': 3,
  'retire.decided': 1,
  'retire.topics-deleted': 1,
  'retire.removed': 1,
}

describe('records come in while versions are deployed, promoted, rolled back and retired', () => {
  test('undisturbed: what is public is what brute force gives, each result once', { timeout: 120_000 }, () => story({}))

  test('versions of two tasks a stage, and of one', { timeout: 120_000 }, () =>
    story({ env: { REPRISE_FAIL_AT: 'cut-over.held:2' }, parallelism: [2, 1] }),
  )

  const kills = full ? 5 : 1
  for (const point of controlProbePoints)
    for (let round = 0; round < kills; round++) {
      const n = 1 + (round % passes[point])
      test.concurrent(`killed by SIGKILL at ${point}, time ${n}, round ${round}`, { timeout: 180_000 }, async () => {
        const { lives } = await story({ round, env: { REPRISE_FAIL_AT: `${point}:${n}` } })
        expect(lives, 'the point was reached').toBeGreaterThan(1)
      })
    }

  const rounds = full ? 20 : 2
  for (let round = 0; round < rounds; round++)
    test.concurrent(`killed at random times, round ${round}`, { timeout: 180_000 }, async () => {
      await story({ round, killed: true })
    })
})

interface Story {
  /** Each has other records, which come at other times. */
  readonly round?: number
  readonly env?: Record<string, string>
  /** Now and then, at random. */
  readonly killed?: boolean
  /** Of v1 and of v2. */
  readonly parallelism?: readonly [number, number]
}

/** v1 publishes, v2 follows, they take turns, v1 is retired; records come all the while. @returns how often the server was started. */
async function story({ round = 0, env = {}, killed = false, parallelism = [1, 1] }: Story): Promise<{ lives: number }> {
  const { events } = makeEvents(seed + round, { keys: 40, records: 4000, everyMs: 40 })
  const data = join(dir, `data-${runs++}`)
  const small = ['sliceRecordsMax=60', 'checkpointEveryMs=50', 'logFileBytes=300000', 'quietAfterMs=20', 'mergeBytesMin=2000']
  const server = await ServerProcess.on(data, ['--hold', '100ms', '--quiet', ...small.flatMap((pair) => ['--set', pair])])
  const { api } = server
  let fed = 0
  let over = false
  await server.keptAlive(async () => {
    const feeding = feed()
    const killing = killed ? killNowAndThen() : undefined
    await deploy(0)
    await until(() => fed >= 500)
    await deploy(1)
    await promote('promote', 2)
    await promote('rollback', 1)
    await promote('promote', 2)
    await persistently(() => api.post('/api/v1/jobs/kill/abort', { version: 1 }))
    await feeding
    over = true
    await killing
    await feedEnd()
    await caughtUp()
    await checkPublic()
    await until(async () => !(await topics()).some(({ topic }) => topic.startsWith('kill.v1.')))
  }, env)
  const state = readdirSync(join(data, 'checkpoints'))
  expect(state, 'nothing of the version that was retired is left').toEqual(['kill.v2.task-0'])
  return { lives: server.lives }

  async function feed(): Promise<void> {
    const random = new Random(seed + round)
    for (; fed < events.length; fed += 50) {
      const batch = events.slice(fed, fed + 50)
      await persistently(() =>
        api.post(`/api/v1/topics/events/records?key=key&time=at&producer=feed&sequence=${fed}&partitions=${partitions}`, batch),
      )
      await realClock.sleep(random.int(40))
    }
  }

  /** Far behind all others in time, in every partition: what is open fires. */
  async function feedEnd(): Promise<void> {
    const at = events.at(-1)!.at + 3_600_000
    const ends = Array.from({ length: 20 }, (_, i) => ({ key: `end${i}`, at, value: 0 }))
    await persistently(() => api.post(`/api/v1/topics/events/records?key=key&time=at&producer=end&sequence=0`, ends))
  }

  async function killNowAndThen(): Promise<void> {
    const random = new Random(seed + round)
    for (let left = 3; left > 0 && !over; left--) {
      await realClock.sleep(700 + random.int(1500))
      if (!over) server.kill()
    }
  }

  async function deploy(which: number): Promise<void> {
    const { bundle } = await openJobFile(jobs[which]!, silentLogger)
    await persistently(() => api.post<VersionView>('/api/v1/versions', { bundle, parallelism: parallelism[which], createTopics: true }))
  }

  async function promote(kind: 'promote' | 'rollback', to: number): Promise<void> {
    await persistently(async () => {
      if ((await view()).active === to) return
      const { id } = await api.post<{ id: string }>(`/api/v1/jobs/kill/${kind}`, kind === 'promote' ? { version: to } : {})
      for (;;) {
        const { state, error } = await api.get<{ state: string; error: object | null }>(`/api/v1/operations/${id}`)
        if (state === 'done') return
        if (state === 'failed') throw new Error(JSON.stringify(error))
        await realClock.sleep(20)
      }
    })
    expect((await persistently(view)).active).toBe(to)
  }

  function view(): Promise<JobView> {
    return api.get<JobView>('/api/v1/jobs/kill')
  }

  async function topics(): Promise<{ topic: string }[]> {
    return (await api.get<{ items: { topic: string }[] }>('/api/v1/topics')).items
  }

  /** The version that publishes has taken everything, and its results are in. */
  async function caughtUp(): Promise<void> {
    await until(async () => {
      const { versions, active } = await view()
      const owner = versions.find(({ version }) => version === active)!
      const ends = await Promise.all(Array.from({ length: partitions }, (_, p) => records('events', p)))
      const taken = owner.partitions.reduce((sum, { current }) => sum + Number(current), 0)
      return (
        taken === ends.reduce((sum, all) => sum + all.length, 0) &&
        owner.watermark !== null &&
        Date.parse(owner.watermark) > events.at(-1)!.at + 1_000_000
      )
    })
  }

  async function checkPublic(): Promise<void> {
    const byPartition = await Promise.all(
      Array.from({ length: partitions }, async (_, p) => (await records('events', p)).map(({ value }) => value as KillEvent)),
    )
    const expected = expectedOf(byPartition.map((all) => all.filter(({ key }) => !key.startsWith('end'))))
    expect(byPartition.flat().length, 'each record was taken in once').toBe(events.length + 20)
    const totals = new Map<string, unknown>()
    for (const { key, value } of await all('totals')) totals.set(String(key), value)
    expect(canonical([...totals.values()])).toEqual(expected.totals)
    for (const topic of ['moving', 'visits'] as const)
      expect(canonical((await all(topic)).map(({ value }) => value)), topic).toEqual(expected[topic])
  }

  async function all(topic: string): Promise<ApiRecord[]> {
    return (await Promise.all(Array.from({ length: partitions }, (_, p) => records(topic, p)))).flat()
  }

  async function records(topic: string, partition: number): Promise<ApiRecord[]> {
    const found: ApiRecord[] = []
    for (let from = 0; ; ) {
      // It may be killed as late as this: what a version had is removed after its end was decided.
      const page = await persistently(() =>
        api.get<{ items: ApiRecord[]; next: string; end: string }>(
          `/api/v1/topics/${topic}/records?partition=${partition}&from=${from}&limit=10000`,
        ),
      )
      found.push(...page.items)
      from = Number(page.next)
      if (page.next === page.end) return found
    }
  }
}

interface ApiRecord {
  readonly key: unknown
  readonly value: unknown
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  await persistently(async () => {
    if (!(await condition())) throw new Error('not yet')
  })
}
