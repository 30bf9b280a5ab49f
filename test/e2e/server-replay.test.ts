import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { start } from './command-line.ts'
import { persistently } from './server-process.ts'
import { numbers, serverUnderTest, stateless, windowed } from './server-under-test.ts'

const { dir, server, fileOf, send, deploy, cli, view, until, caughtUp, records } = await serverUnderTest()

describe('a replay that does not begin with offset zero', () => {
  test('gives what a version gives that has only seen what came from there on; also after its checkpoints are lost', {
    timeout: 90_000,
  }, async () => {
    await send('partly', numbers(0, 60))
    await deploy(stateless('partly', 'false'), { createTopics: true })
    await caughtUp('partly', 1)
    const file = fileOf(stateless('partly', 'n < 0'))
    const plan = await cli('deploy', file, '--no-type-check', '--from', 'partly/0@40', '--dry-run')
    expect(plan.stdout).toContain('replay     20 records from partly/0@40')
    const done = await cli('deploy', file, '--no-type-check', '--from', 'partly/0@40', '--json')
    expect(JSON.parse(done.stdout)).toMatchObject({ version: 2, startsAt: { 'partly/0': '40' } })
    await until('partly', 2, ({ phase }) => phase === 'caught-up')
    expect((await view('partly')).versions.find(({ version }) => version === 2)!.progress).toMatchObject({ done: '20', target: '20' })
    const privately = async () => (await records('partly.v2.private.partly-out')).map(({ value }) => (value as { n: number }).n)
    expect(await privately()).toEqual(Array.from({ length: 20 }, (_, n) => 40 + n))
    await server.stop()
    rmSync(join(dir, 'data', 'checkpoints'), { recursive: true, force: true })
    await server.start()
    await send('partly', numbers(60, 70))
    await until('partly', 2, ({ phase, partitions }) => phase === 'caught-up' && partitions[0]?.current === '70')
    expect(await privately()).toEqual(Array.from({ length: 30 }, (_, n) => 40 + n))
    expect((await cli('promote', 'partly', 'v2', '--yes')).code).toBe(0)
    await send('partly', numbers(70, 80))
    await until('partly', 2, ({ partitions }) => partitions[0]?.current === '80')
    expect((await records('partly-out')).map(({ value }) => (value as { n: number }).n)).toEqual(Array.from({ length: 80 }, (_, n) => n))
  })

  test('from a time, from what there is; never ahead of the version that publishes; where there is state, with a seam', {
    timeout: 60_000,
  }, async () => {
    await send('since', numbers(0, 50))
    await new Promise((resolve) => setTimeout(resolve, 20))
    const since = new Date().toISOString()
    await new Promise((resolve) => setTimeout(resolve, 20))
    await send('since', numbers(50, 80))
    await deploy(windowed('10s', 'since'), { createTopics: true })
    await caughtUp('since', 1)
    const file = fileOf(
      windowed('10s', 'since').replace("'all', tumbling", "'all' , tumbling").replace('({ start, ...row })', '({ ...row, start })'),
    )
    const planned = async (...flags: string[]) =>
      JSON.parse((await cli('deploy', file, '--no-type-check', '--dry-run', '--json', ...flags)).stdout) as object
    expect(await planned('--from', since)).toMatchObject({ startsAt: { 'since/0': '50' }, recordsToReplay: 30 })
    expect(await planned('--from', 'earliest-available')).toMatchObject({ startsAt: {}, recordsToReplay: 80, seam: [] })
    expect(await planned('--from', '2001-01-01')).toMatchObject({ startsAt: {}, recordsToReplay: 80 })
    expect(await planned('--from', 'since/0@30')).toMatchObject({ seam: ['since/0: history from 0 → from 30'] })
    for (const [from, code] of [
      ['since/0@81', 1],
      ['since/7@3', 2],
      ['yesterday', 2],
    ] as const)
      expect([from, (await cli('deploy', file, '--no-type-check', '--dry-run', '--from', from)).code]).toEqual([from, code])
    await server.api.post('/api/v1/jobs/since/pause', { version: 1 })
    await send('since', numbers(80, 90))
    const ahead = await cli('deploy', file, '--no-type-check', '--from', 'since/0@85')
    expect([ahead.code, ahead.stderr]).toEqual([1, expect.stringContaining('begin at 80 at most')])
    await server.api.post('/api/v1/jobs/since/resume', { version: 1 })
    expect((await cli('deploy', file, '--no-type-check', '--from', since)).code).toBe(0)
    await until('since', 2, ({ phase }) => phase === 'caught-up')
    expect((await cli('promote', 'since', '--yes')).stderr).toContain('since/0: history from 0 → from 50')
    expect((await cli('promote', 'since', '--yes', '--allow-seam')).code).toBe(0)
    // The same code once more, over all there is.
    const replayed = await cli('replay', 'since', '-m', 'all of it')
    expect([replayed.code, replayed.stdout]).toEqual([0, expect.stringContaining('since v3 replays beside')])
    expect(await until('since', 3, ({ phase }) => phase === 'caught-up')).toMatchObject({ startsAt: {}, message: 'all of it' })
    expect((await cli('replay', 'since', 'v9')).code).toBe(5)
  })
})

describe('a candidate', () => {
  test('that can not keep up is called so within a minute, with both rates; one that can is called caught up', {
    timeout: 120_000,
  }, async () => {
    await send('slow', numbers(0, 2000))
    await deploy(stateless('slow', 'false'), { createTopics: true })
    await caughtUp('slow', 1)
    await deploy(stateless('slow', 'n < 0'))
    await server.api.post('/api/v1/jobs/slow/rate', { version: 2, recordsPerSecond: 40 })
    const over = new AbortController()
    const sending = (async () => {
      for (let n = 2000; !over.signal.aborted; n += 20) {
        await send('slow', numbers(n, n + 20))
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
    })()
    const from = performance.now()
    const found = await until('slow', 2, ({ progress }) => progress?.eta.state === 'never')
    expect(performance.now() - from).toBeLessThan(60_000)
    const { eta, recordsPerSecond, headPerSecond } = found.progress!
    expect(eta.reason).toMatch(/^[\d.,]+ records\/s come in, [\d.,]+ records\/s are taken$/)
    expect(recordsPerSecond).toBeLessThan(80)
    expect(headPerSecond).toBeGreaterThan(100)
    await server.api.post('/api/v1/jobs/slow/rate', { version: 2, recordsPerSecond: null })
    await until('slow', 2, ({ phase }) => phase === 'caught-up')
    over.abort()
    await sending
  })
})

test('a candidate that does not catch up in the time it may take is stopped with the reason; resumed it has that time again', {
  timeout: 60_000,
}, async () => {
  await send('overdue', numbers(0, 2000))
  await deploy(stateless('overdue', 'false'), { createTopics: true })
  await caughtUp('overdue', 1)
  const file = fileOf(stateless('overdue', 'n < 0'))
  const soon = ['--deadline', '4s', '--max-lag', '1s', '--max-lag-records', '10', '--rate', '50']
  const deployed = await cli('deploy', file, '--no-type-check', ...soon, '--json')
  expect(JSON.parse(deployed.stdout)).toMatchObject({
    policy: { maxLagRecords: 10, maxLagSeconds: 1, holdSeconds: 0.1, deadlineSeconds: 4 },
  })
  const stopped = await until('overdue', 2, ({ health }) => health === 'stopped')
  expect(stopped).toMatchObject({ role: 'candidate', code: 'CATCH_UP_OVERDUE' })
  expect(stopped.reason).toMatch(/deadlineSeconds: 4, takenPerSecond: (\d+|not known), comePerSecond: (0|not known), lag: (1\d+|2000)/)
  expect((await view('overdue')).versions.find(({ version }) => version === 1)).toMatchObject({ role: 'active', health: 'running' })
  // The same code with more time is the same version, and has it.
  await cli('deploy', file, '--no-type-check', '--deadline', '1h', '--json')
  await server.api.post('/api/v1/jobs/overdue/rate', { version: 2, recordsPerSecond: null })
  await cli('resume', 'overdue', 'v2')
  expect(await until('overdue', 2, ({ phase }) => phase === 'caught-up')).toMatchObject({
    policy: { maxLagRecords: 10, deadlineSeconds: 3600 },
  })
  await persistently(async () => {
    const events = JSON.parse((await cli('events', 'overdue', '--json')).stdout) as { items: { event: { type: string } }[] }
    expect(events.items.map(({ event }) => event.type).filter((type) => type !== 'rateSet')).toEqual([
      'registered',
      'registered',
      'stopped',
      'policySet',
      'resumed',
      'caughtUp',
    ])
  })
})

test('a candidate with nothing to read, or with partitions that are empty or idle, catches up', { timeout: 60_000 }, async () => {
  await deploy(stateless('nothing', 'false'), { createTopics: true })
  await deploy(stateless('nothing', 'n < 0'))
  expect(await until('nothing', 2, ({ phase }) => phase === 'caught-up')).toMatchObject({
    lag: { records: '0', seconds: 0 },
    progress: { ratio: 1, eta: { state: 'done' } },
  })
  // All records are in one of the three partitions; another got one long before, the third none.
  const by = (key: string, values: object[]) => values.map((value) => ({ ...value, key }))
  const post = (records: object[]) => server.api.post('/api/v1/topics/idle/records?time=at&key=key&partitions=3', records)
  await post(by('a', numbers(0, 1)))
  await post(by('b', numbers(1, 200)))
  const job = (size: string) => windowed(size, 'idle')
  await deploy(job('10s'))
  await deploy(job('20s'))
  const found = await until('idle', 2, ({ phase, lag }) => phase === 'caught-up' && lag?.records === '0')
  expect(found.partitions.map(({ end }) => Number(end)).sort((a, b) => a - b)).toEqual([0, 1, 199])
  expect(found.partitions.every(({ lag, lagSeconds }) => lag === '0' && lagSeconds === 0)).toBe(true)
})

test('limits in records and in bytes are kept, and are taken away at once', { timeout: 60_000 }, async () => {
  await send('paced', numbers(0, 6000))
  await deploy(stateless('paced', 'false'), { createTopics: true })
  await caughtUp('paced', 1)
  await deploy(stateless('paced', 'n < 0'))
  await cli('rate', 'paced', '100', 'v2')
  await until('paced', 2, ({ progress }) => progress !== null)
  const takenIn = async (ms: number) => {
    const done = async () => Number((await view('paced')).versions.find(({ version }) => version === 2)!.progress!.done)
    const from = await done()
    await new Promise((resolve) => setTimeout(resolve, ms))
    return (await done()) - from
  }
  expect(await takenIn(3000)).toBeLessThan(500)
  const both = await server.api.post('/api/v1/jobs/paced/rate', { version: 2, bytesPerSecond: 20_000 })
  expect(both).toMatchObject({ recordsPerSecondMax: 100, bytesPerSecondMax: 20_000 })
  await server.api.post('/api/v1/jobs/paced/rate', { version: 2, recordsPerSecond: null })
  await expect(server.api.post('/api/v1/jobs/paced/rate', { version: 2 })).rejects.toThrow(/REQUEST_INVALID.*bytesPerSecond/)
  expect((await cli('rate', 'paced', '20kB', 'v2')).stdout).toBe('paced v2 takes at most 20 kB/s\n')
  // A record has some 50 bytes in the log.
  const taken = await takenIn(3000)
  expect(taken).toBeGreaterThan(500)
  expect(taken).toBeLessThan(2500)
  expect((await cli('rate', 'paced', '0B', 'v2')).stdout).toBe('paced v2 is paused\n')
  await new Promise((resolve) => setTimeout(resolve, 1000))
  expect(await takenIn(1000)).toBe(0)
  await cli('resume', 'paced', 'v2')
  expect((await cli('rate', 'paced', 'max', 'v2')).stdout).toContain('takes as many as it can')
  await until('paced', 2, ({ phase }) => phase === 'caught-up')
})

test('a limit that a version is deployed with holds from its first record on', { timeout: 60_000 }, async () => {
  await send('slowly', numbers(0, 6000))
  await deploy(stateless('slowly', 'false'), { createTopics: true })
  await caughtUp('slowly', 1)
  const deployed = await cli('deploy', fileOf(stateless('slowly', 'n < 0')), '--no-type-check', '--rate', '10kB', '--json')
  expect(JSON.parse(deployed.stdout)).toMatchObject({ version: 2, recordsPerSecondMax: null, bytesPerSecondMax: 10_000 })
  const replayed = await cli('replay', 'slowly', 'v1', '--rate', '100', '--json')
  expect(JSON.parse(replayed.stdout)).toMatchObject({ version: 3, recordsPerSecondMax: 100, bytesPerSecondMax: null })
  for (const version of [2, 3]) {
    const { progress } = await until('slowly', version, ({ progress }) => Number(progress?.done ?? 0) > 0)
    expect(Number(progress!.done)).toBeLessThan(3000)
  }
  const nothing = await cli('replay', 'slowly', 'v1', '--rate', '0')
  expect([nothing.code, nothing.stderr]).toEqual([2, expect.stringContaining('reprise pause')])
})

test('decisions are followed as they are made', { timeout: 60_000 }, async () => {
  await send('told', numbers(0, 5))
  await deploy(stateless('told', 'false'), { createTopics: true })
  const following = start(['events', 'told', '-f', '--json', '--server', server.url])
  await new Promise((resolve) => setTimeout(resolve, 1500))
  await server.api.post('/api/v1/jobs/told/pause', { version: 1, reason: 'lunch' })
  await new Promise((resolve) => setTimeout(resolve, 2500))
  following.kill('SIGINT')
  const { code, stdout } = await following.ended
  const events = stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as { id: string; event: { type: string } }]))
  expect([code, events.map(({ id, event }) => [id, event.type])]).toEqual([
    0,
    [
      ['0', 'registered'],
      ['1', 'paused'],
    ],
  ])
})

describe('status --watch', () => {
  const seconds = (count: number) => new Promise((resolve) => setTimeout(resolve, count * 1000))

  test('in a pipe says less, and ends as Ctrl-C ends it', { timeout: 60_000 }, async () => {
    await send('watched', numbers(0, 5))
    await deploy(stateless('watched', 'false'), { createTopics: true })
    const watching = start(['status', 'watched', '--watch', '--server', server.url])
    await seconds(4)
    watching.kill('SIGINT')
    const { code, stdout, stderr } = await watching.ended
    expect([code, stderr]).toEqual([130, ''])
    expect(stdout).toMatch(/^watched v1 active\b.*\n$/)
  })

  test('goes on when the server is there again', { timeout: 60_000 }, async () => {
    const watching = start(['status', 'watched', '--watch', '--json', '--server', server.url])
    await seconds(3)
    server.kill()
    await seconds(2)
    await server.start()
    await server.api.post('/api/v1/jobs/watched/pause', { version: 1 })
    await seconds(3)
    watching.kill('SIGTERM')
    const { code, stdout, stderr } = await watching.ended
    expect(stderr).toBe('the server does not answer; it is asked again each second\nthe server answers again\n')
    const health = stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => (JSON.parse(line) as { versions: { health: string }[] }).versions[0]!.health)
    expect([code, health[0], health.at(-1)]).toEqual([143, 'running', 'paused'])
  })
})

describe('the same Idempotency-Key after kill -9', () => {
  const post = async (path: string, body: object) => {
    const headers = { 'content-type': 'application/json', 'idempotency-key': 'k1' }
    const response = await fetch(server.url + path, { method: 'POST', headers, body: JSON.stringify(body) })
    return { status: response.status, again: response.headers.get('idempotent-replay'), body: (await response.json()) as object }
  }
  const killed = async () => {
    server.kill()
    await server.start()
  }

  test('has the same answer: no second replay begins', { timeout: 60_000 }, async () => {
    await send('keyed', numbers(0, 10))
    await deploy(stateless('keyed', 'false'), { createTopics: true })
    const first = await post('/api/v1/jobs/keyed/replays', {})
    expect(first).toMatchObject({ status: 201, again: null, body: { version: 2 } })
    await killed()
    expect(await post('/api/v1/jobs/keyed/replays', {})).toEqual({ ...first, again: 'true' })
    expect((await view('keyed')).versions.map(({ version }) => version)).toEqual([2, 1])
    expect((await post('/api/v1/jobs/keyed/replays', { version: 1 })).status).toBe(422)
  })

  test('makes no second token, and the secret is not told again: it is written nowhere', { timeout: 60_000 }, async () => {
    const token = { name: 'keyed', scopes: ['viewer'] }
    const first = await post('/api/v1/tokens', token)
    expect(await post('/api/v1/tokens', token)).toEqual({ ...first, again: 'true' })
    await killed()
    expect(await post('/api/v1/tokens', token)).toMatchObject({ status: 409, body: { code: 'TOKEN_EXISTS' } })
    const secret = (first.body as { token: string }).token
    const { items } = await server.api.get<{ items: object[] }>('/api/v1/topics/reprise.answers/records?limit=1000')
    expect(JSON.stringify(items)).toContain('/api/v1/jobs/keyed/replays')
    expect(JSON.stringify(items)).not.toContain(secret)
  })
})
