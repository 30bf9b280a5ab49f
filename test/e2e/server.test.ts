import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openJobFile } from '../../deploy/load-job-file.ts'
import type { JobView, VersionView } from '../../deploy/server/views.ts'
import { silentLogger } from '../../engine/ports/world.ts'
import { reprise, start } from './command-line.ts'
import { persistently, ServerProcess } from './server-process.ts'

const dir = mkdtempSync(join(tmpdir(), 'reprise-server-'))
let server: ServerProcess

beforeAll(async () => {
  // Jobs import zod from here.
  symlinkSync(fileURLToPath(new URL('../../node_modules', import.meta.url)), join(dir, 'node_modules'))
  server = await ServerProcess.on(join(dir, 'data'), ['--hold', '100ms', '--hold-timeout', '5s', '--quiet'])
  await server.start()
})
afterAll(async () => {
  const { code, stderr } = await server.stop()
  rmSync(dir, { recursive: true, force: true })
  expect(code, stderr).toBe(0)
})

describe('a version that publishes and can not go on', () => {
  test('is stopped with the record named; another takes over from exactly there', { timeout: 60_000 }, async () => {
    await send('numbers', numbers(0, 10))
    await deploy(stateless('numbers', 'n === 13'), { createTopics: true })
    await caughtUp('numbers', 1)
    await send('numbers', numbers(10, 20))
    const stopped = await until('numbers', 1, ({ health }) => health === 'stopped')
    expect(stopped.code).toBe('OPERATOR_THREW')
    expect(stopped.reason).toContain('offset: 13')
    await deploy(stateless('numbers', 'false'))
    await until('numbers', 2, ({ phase }) => phase === 'caught-up')
    await promote('numbers', 2)
    await caughtUp('numbers', 2)
    const published = (await records('numbers-out')).map(({ value }) => value as { n: number })
    expect(published.map(({ n }) => n)).toEqual(Array.from({ length: 20 }, (_, n) => n))
    expect((await view('numbers')).versions.find(({ version }) => version === 1)).toMatchObject({ role: 'standby', health: 'stopped' })
  })
})

describe('a version that stopped at a record', () => {
  test('goes on past it when somebody says so; the record is set aside as a dead letter', { timeout: 60_000 }, async () => {
    await send('skips', numbers(0, 20))
    await deploy(stateless('skips', 'n === 7 || n === 13'), { createTopics: true })
    expect((await until('skips', 1, ({ health }) => health === 'stopped')).reason).toContain('offset: 7')
    expect((await cli('skip', 'skips', 'skips/0@7')).code).toBe(6)
    expect((await cli('skip', 'skips', 'skips/0@7', '--yes', '-m', 'a test order')).code).toBe(0)
    await until('skips', 1, ({ health, reason }) => health === 'stopped' && reason!.includes('offset: 13'))
    await cli('skip', 'skips', 'skips/0@13', '--yes')
    await caughtUp('skips', 1)
    const published = (await records('skips-out')).map(({ value }) => (value as { n: number }).n)
    expect(published).toEqual(Array.from({ length: 20 }, (_, n) => n).filter((n) => n !== 7 && n !== 13))
    expect((await records('skips.dead-letters')).map(({ value }) => (value as { n: number }).n)).toEqual([7, 13])
    // What was taken can't be passed over any more.
    expect((await cli('skip', 'skips', 'skips/0@3', '--yes')).code).toBe(3)
  })
})

describe('a replay that does not begin with offset zero', () => {
  test('gives what a version gives that has only seen what came from there on; also after its checkpoints are lost', {
    timeout: 90_000,
  }, async () => {
    await send('partly', numbers(0, 60))
    await deploy(stateless('partly', 'false'), { createTopics: true })
    await caughtUp('partly', 1)
    const file = fileOf(stateless('partly', 'n < 0'))
    const plan = await cli('deploy', file, '--from', 'partly/0@40', '--dry-run')
    expect(plan.stdout).toContain('replay     20 records from partly/0@40')
    const done = await cli('deploy', file, '--from', 'partly/0@40', '--json')
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
    const planned = async (...flags: string[]) => JSON.parse((await cli('deploy', file, '--dry-run', '--json', ...flags)).stdout) as object
    expect(await planned('--from', since)).toMatchObject({ startsAt: { 'since/0': '50' }, recordsToReplay: 30 })
    expect(await planned('--from', 'earliest-available')).toMatchObject({ startsAt: {}, recordsToReplay: 80, seam: [] })
    expect(await planned('--from', '2001-01-01')).toMatchObject({ startsAt: {}, recordsToReplay: 80 })
    expect(await planned('--from', 'since/0@30')).toMatchObject({ seam: ['since/0: history from 0 → from 30'] })
    for (const [from, code] of [
      ['since/0@81', 1],
      ['since/7@3', 2],
      ['yesterday', 2],
    ] as const)
      expect([from, (await cli('deploy', file, '--dry-run', '--from', from)).code]).toEqual([from, code])
    await server.api.post('/api/v1/jobs/since/pause', { version: 1 })
    await send('since', numbers(80, 90))
    const ahead = await cli('deploy', file, '--from', 'since/0@85')
    expect([ahead.code, ahead.stderr]).toEqual([1, expect.stringContaining('begin at 80 at most')])
    await server.api.post('/api/v1/jobs/since/resume', { version: 1 })
    expect((await cli('deploy', file, '--from', since)).code).toBe(0)
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

describe('a promotion is refused', () => {
  test('while the version is too far behind, with the gate named; --force and a dry run say more', { timeout: 60_000 }, async () => {
    await send('gated', numbers(0, 5000))
    await deploy(stateless('gated', 'false'), { createTopics: true })
    await caughtUp('gated', 1)
    await deploy(stateless('gated', 'n < 0'))
    await server.api.post('/api/v1/jobs/gated/pause', { version: 2, reason: 'lunch' })
    const refused = await cli('promote', 'gated', 'v2', '--yes')
    expect(refused.code).toBe(3)
    expect(refused.stderr).toMatch(/VERSION_NOT_READY[\s\S]*gate: running[\s\S]*fix {3}reprise wait gated 2/)
    const dry = await cli('promote', 'gated', 'v2', '--dry-run', '--json')
    expect(JSON.parse(dry.stdout)).toMatchObject({ from: 1, to: 2, wouldSucceed: false })
    expect((await cli('wait', 'gated', 'v2', '--timeout', '300ms')).code).toBe(4)
    await cli('resume', 'gated', 'v2')
    expect((await cli('wait', 'gated', 'v2', '--timeout', '20s')).code).toBe(0)
    expect((await cli('promote', 'gated', 'v2', '--yes', '-m', 'better')).stdout).toMatch(/gated is now v2, from gated\/0@5000 on/)
    const events = JSON.parse((await cli('events', 'gated', '--json')).stdout) as { items: { event: { type: string; reason?: string } }[] }
    expect(events.items.map(({ event }) => event.type)).toEqual([
      'registered',
      'registered',
      'paused',
      'resumed',
      'holdRequested',
      'cutOver',
    ])
    expect(events.items.at(-1)!.event.reason).toBe('better')
  })

  test('where windows differ, unless the seam is accepted, which is recorded', { timeout: 60_000 }, async () => {
    await send('windowed', numbers(0, 100))
    await deploy(windowed('10s'), { createTopics: true })
    await caughtUp('windowed', 1)
    await deploy(windowed('20s'))
    await until('windowed', 2, ({ phase }) => phase === 'caught-up')
    const wouldSucceed = async (...flags: string[]) =>
      (JSON.parse((await cli('promote', 'windowed', '--dry-run', '--json', ...flags)).stdout) as { wouldSucceed: boolean }).wouldSucceed
    expect([await wouldSucceed(), await wouldSucceed('--allow-seam')]).toEqual([false, true])
    const refused = await cli('promote', 'windowed', '--yes')
    expect(refused.code).toBe(3)
    expect(refused.stderr).toContain('CUT_OVER_SEAM')
    expect(refused.stderr).toMatch(/all: tumbling 10s.* → tumbling 20s/)
    expect((await cli('promote', 'windowed', '--yes', '--allow-seam')).code).toBe(0)
    const events = (await cli('events', 'windowed', '--json')).stdout
    expect(events).toContain('"seam":["all: tumbling 10s → tumbling 20s"]')
  })

  test('without a version to go to', async () => {
    expect((await cli('rollback', 'nobody', '--yes')).code).toBe(5)
    expect((await cli('promote', 'windowed', 'v9', '--yes')).code).toBe(5)
    expect((await cli('promote', 'windowed', '--yes')).stderr).toContain('there is no candidate')
    // Nobody is there to say yes.
    expect((await cli('rollback', 'windowed', '--allow-seam')).code).toBe(6)
  })
})

describe('a deployment is refused', () => {
  test('when a source is not there, or another job writes the output', async () => {
    await expect(deploy(stateless('unheard-of', 'false'))).rejects.toThrow(/TOPIC_UNKNOWN.*unheard-of/)
    const thief = stateless('thief', 'false').replace("topic('thief-out'", "topic('numbers-out'")
    await expect(deploy(thief, { createTopics: true })).rejects.toThrow(/OUTPUT_OWNED.*numbers-out/)
  })

  test('when readers of the output would lose a field, unless that is accepted', { timeout: 60_000 }, async () => {
    await send('fields', numbers(0, 3))
    await deploy(stateless('fields', 'false'), { createTopics: true })
    const less = stateless('fields', 'false').replace('n: z.number(), half: z.number()', 'n: z.number()')
    await expect(deploy(less)).rejects.toThrow(/SCHEMA_INCOMPATIBLE.*half: is gone/)
    expect((await deploy(less, { allowSchemaChange: true })).version).toBe(2)
  })

  test('the same code again is the same version', { timeout: 60_000 }, async () => {
    expect((await deploy(stateless('fields', 'false'))).version).toBe(1)
    expect((await view('fields')).versions.length).toBe(2)
  })
})

test('a version that is to take over by itself does so once, and not again after a roll-back', { timeout: 60_000 }, async () => {
  await send('auto', numbers(0, 100))
  await deploy(stateless('auto', 'false'), { createTopics: true, promote: 'auto' })
  await caughtUp('auto', 1)
  await deploy(stateless('auto', 'n < 0'), { promote: 'auto' })
  await until('auto', 2, ({ role }) => role === 'active')
  expect((await cli('rollback', 'auto', '--yes')).code).toBe(0)
  await new Promise((resolve) => setTimeout(resolve, 1500))
  expect((await view('auto')).active).toBe(1)
})

test('a limit is kept, and is taken away at once', { timeout: 60_000 }, async () => {
  await send('paced', numbers(0, 6000))
  await deploy(stateless('paced', 'false'), { createTopics: true })
  await caughtUp('paced', 1)
  await deploy(stateless('paced', 'n < 0'))
  await cli('rate', 'paced', '100', 'v2')
  const from = await until('paced', 2, ({ progress }) => progress !== null)
  await new Promise((resolve) => setTimeout(resolve, 3000))
  const to = (await view('paced')).versions.find(({ version }) => version === 2)!
  const taken = Number(to.progress!.done) - Number(from.progress!.done)
  if (from.progress!.ratio < 1) expect(taken).toBeLessThan(500)
  expect((await cli('rate', 'paced', 'max', 'v2')).stdout).toContain('takes as many as it can')
  await until('paced', 2, ({ phase }) => phase === 'caught-up')
})

test('a job that was begun with `reprise run` goes on in a server, and not the other way once it has versions', {
  timeout: 60_000,
}, async () => {
  const data = join(dir, 'begun')
  const [first, second] = ['false', 'n < 0'].map((throws) => fileOf(stateless('begun', throws)))
  const input = join(dir, 'begun.ndjson')
  writeFileSync(
    input,
    numbers(0, 20)
      .map((value) => `${JSON.stringify(value)}\n`)
      .join(''),
  )
  const run = (job: string) => reprise(['run', job, '--data', data, '--ingest', `begun=${input}`, '--until-end', '--json'])
  expect(await run(first!)).toMatchObject({ code: 0 })
  const taken = await ServerProcess.on(data, ['--hold', '100ms', '--hold-timeout', '5s', '--quiet'])
  await taken.start()
  const { bundle } = await openJobFile(second!, silentLogger)
  await taken.api.post('/api/v1/versions', { bundle })
  const at = ['--server', taken.url]
  expect((await reprise(['wait', 'begun', 'v2', '--timeout', '20s', ...at])).code).toBe(0)
  expect((await reprise(['promote', 'begun', 'v2', '--yes', ...at])).code).toBe(0)
  await taken.api.post('/api/v1/topics/begun/records?time=at', numbers(20, 30))
  await persistently(async () => {
    const { items } = await taken.api.get<{ items: { value: { n: number } }[] }>('/api/v1/topics/begun-out/records?limit=1000')
    expect(items.map(({ value }) => value.n)).toEqual(Array.from({ length: 30 }, (_, n) => n))
  })
  await taken.stop()
  expect((await run(second!)).stderr).toMatch(/JOB_CHANGED[\s\S]*2 versions/)
})

describe('records by HTTP', () => {
  test('numbered records are taken once; a gap is refused with the number that is expected', async () => {
    const path = '/api/v1/topics/once/records?producer=p&sequence='
    expect(await server.api.post(`${path}0`, numbers(0, 10))).toEqual({ added: 10, skipped: 0, nextSequence: 10 })
    expect(await server.api.post(`${path}5`, numbers(5, 15))).toEqual({ added: 5, skipped: 5, nextSequence: 15 })
    await expect(server.api.post(`${path}16`, numbers(16, 17))).rejects.toThrow(/REQUEST_INVALID.*expected: 15/)
    expect((await records('once')).map(({ value }) => (value as { n: number }).n)).toEqual(Array.from({ length: 15 }, (_, n) => n))
  })

  test('NDJSON is taken as it comes; a line that is no record is refused with its number', async () => {
    const post = (body: string) =>
      fetch(`${server.url}/api/v1/topics/lines/records`, { method: 'POST', body, headers: { 'content-type': 'application/x-ndjson' } })
    expect(await (await post('{"n":1}\n{"n":2}\n')).json()).toEqual({ added: 2, skipped: 0, nextSequence: null })
    const bad = await post('{"n":3}\n{"n":\n')
    expect(bad.status).toBe(400)
    expect(await bad.json()).toMatchObject({ code: 'RECORD_MALFORMED', details: { line: 2 } })
  })

  test('nobody else writes what a job writes', async () => {
    for (const topic of ['numbers-out', 'numbers.v2.private.numbers-out', 'numbers.control'])
      await expect(server.api.post(`/api/v1/topics/${topic}/records`, [{}]), topic).rejects.toThrow(/OUTPUT_OWNED|TOPIC_NAME_INVALID/)
  })

  test('followers get what was there and what comes, and go on behind the last they saw', { timeout: 30_000 }, async () => {
    await send('followed', numbers(0, 3))
    const first = await follow('followed', 5, { query: '?from=0', meanwhile: () => send('followed', numbers(3, 6)) })
    expect(first.map(({ n }) => n)).toEqual([0, 1, 2, 3, 4])
    const again = await follow('followed', 2, { lastEventId: '3' })
    expect(again.map(({ n }) => n)).toEqual([4, 5])
  })
})

test('a table is read by key, by prefix and page by page, and says who publishes it', { timeout: 60_000 }, async () => {
  await send('table', numbers(0, 30))
  await deploy(tabled(''), { createTopics: true })
  await caughtUp('table', 1)
  await deploy(tabled('.5'))
  await until('table', 2, ({ phase }) => phase === 'caught-up')
  const query = (text: string) =>
    server.api.get<{ items: { key: string; value: { n: number } }[]; next: string | null; version: number; control: number }>(
      `/api/v1/tables/table-out?${text}`,
    )
  expect(await query('key=k1')).toMatchObject({ items: [{ key: 'k1', value: { n: 21 } }], next: null, version: 1, control: 2 })
  // k0 was taken back by the last record of it.
  const first = await query('prefix=k&limit=4')
  expect(first.items.map(({ key }) => key)).toEqual(['k1', 'k2', 'k3', 'k4'])
  expect((await query(`prefix=k&limit=40&after=${first.next}`)).items.map(({ key }) => key)).toEqual(['k5', 'k6', 'k7', 'k8', 'k9'])
  await promote('table', 2)
  await send('table', numbers(41, 42))
  await persistently(async () =>
    expect(await query('key=k1&minControl=4')).toMatchObject({ items: [{ value: { n: 41.5 } }], version: 2, control: 4 }),
  )
  await expect(query('key=k1&minControl=9')).rejects.toThrow(/REQUEST_INVALID.*not made yet/)
  expect((await cli('query', 'table-out', 'k2')).stdout).toContain('k2   {"n":22}')
  expect((await cli('query', 'table-out', 'k0')).code).toBe(5)
  await expect(server.api.get('/api/v1/tables/numbers-out')).rejects.toThrow(/REQUEST_INVALID.*no table/)
})

describe('what is not for us is refused', () => {
  test('a page of another name, a form, an unknown field, an unknown path', async () => {
    const status = async (path: string, init: RequestInit) => (await fetch(server.url + path, init)).status
    const json = { 'content-type': 'application/json' }
    for (const origin of ['http://evil.example', 'null'])
      expect(await status('/api/v1/jobs/numbers/pause', { method: 'POST', body: '{}', headers: { ...json, origin } })).toBe(403)
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    expect(await status('/api/v1/jobs/numbers/pause', { method: 'POST', body: 'version=1', headers: form })).toBe(415)
    expect(await status('/api/v1/jobs/numbers/pause', { method: 'POST', body: '{"versoin":1}', headers: json })).toBe(400)
    expect(await status('/api/v1/jobs/numbers/pause', { method: 'POST', body: '{"__proto__":{"a":1}}', headers: json })).toBe(400)
    expect(await status('/api/v2/jobs', {})).toBe(404)
    expect(await status('/api/v1/jobs/..%2f..%2fetc', {})).toBe(404)
  })

  test('the same Idempotency-Key does nothing again, and takes no other body', async () => {
    const rate = (recordsPerSecond: number) =>
      fetch(`${server.url}/api/v1/jobs/numbers/rate`, {
        method: 'POST',
        body: JSON.stringify({ version: 2, recordsPerSecond }),
        headers: { 'content-type': 'application/json', 'idempotency-key': 'k1' },
      })
    const count = async () => (JSON.parse((await cli('events', 'numbers', '--json')).stdout) as { items: unknown[] }).items.length
    expect((await rate(500_000)).status).toBe(200)
    const events = await count()
    const again = await rate(500_000)
    expect([again.status, again.headers.get('idempotent-replay')]).toEqual([200, 'true'])
    expect((await rate(7)).status).toBe(422)
    expect(await count()).toBe(events)
  })

  test('calls that were to change something are in the audit log, refused ones too', async () => {
    const { items } = await server.api.get<{ items: { path: string; status: number; by: string }[] }>('/api/v1/audit?limit=1000')
    expect(items).toContainEqual(expect.objectContaining({ path: '/api/v1/jobs/numbers/pause', status: 403 }))
    expect(items).toContainEqual(expect.objectContaining({ path: '/api/v1/jobs/gated/pause', status: 200, by: 'test' }))
  })
})

test('metrics have one series a live version, its lag by partition, and no series of one that was aborted', {
  timeout: 30_000,
}, async () => {
  await server.api.post('/api/v1/jobs/fields/abort', { version: 2 })
  await persistently(async () => {
    const text = await (await fetch(`${server.url}/metrics`)).text()
    expect(text).toContain('reprise_input_lag_records{reprise_job="numbers",version="v2",topic="numbers",partition="0"} 0')
    expect(text).toContain('reprise_job_version_active{reprise_job="numbers",version="v2"} 1')
    expect(text).not.toMatch(/reprise_job="fields",version="v2"/)
  }, 10_000)
})

test('the API describes itself, every route with its answers', async () => {
  const document = (await (await fetch(`${server.url}/openapi.json`)).json()) as { openapi: string; paths: Record<string, object> }
  expect(document.openapi).toBe('3.1.0')
  expect(Object.keys(document.paths)).toContain('/api/v1/jobs/{job}/promote')
})

function numbers(from: number, to: number): object[] {
  return Array.from({ length: to - from }, (_, i) => ({ n: from + i, at: 1_700_000_000_000 + (from + i) * 1000 }))
}

function send(topic: string, values: object[]): Promise<unknown> {
  return server.api.post(`/api/v1/topics/${topic}/records?time=at`, values)
}

function stateless(name: string, throwsWhen: string): string {
  return `import { defineJob, topic } from 'reprise'
import { z } from 'zod'
const numbers = topic('${name}', { value: z.object({ n: z.number(), at: z.number() }), eventTime: ({ at }) => at })
const out = topic('${name}-out', { value: z.object({ n: z.number(), half: z.number() }) })
export default defineJob('${name}', (job) => {
  job.from(numbers).map(({ n }) => { if (${throwsWhen}) throw new Error('no'); return { n, half: n / 2 } }).to(out)
})
`
}

/** The last number of each last digit; none for the tens above 10. */
function tabled(more: string): string {
  return `import { defineJob, topic } from 'reprise'
import { z } from 'zod'
const numbers = topic('table', { value: z.object({ n: z.number(), at: z.number() }), key: ({ n }) => \`k\${n % 10}\`, eventTime: ({ at }) => at })
const out = topic('table-out', { kind: 'table', value: z.object({ n: z.number() }) })
export default defineJob('table', (job) => {
  job.from(numbers).keyBy('digit', ({ n }) => \`k\${n % 10}\`).map(({ n }) => (n === 20 ? null : { n: n + 0${more} })).to(out)
})
`
}

function windowed(size: string, name = 'windowed'): string {
  return `import { count, defineJob, topic, tumbling } from 'reprise'
import { z } from 'zod'
const numbers = topic('${name}', { value: z.object({ n: z.number(), at: z.number() }), eventTime: ({ at }) => at })
const out = topic('${name}-out', { value: z.object({ start: z.number(), count: z.number() }) })
export default defineJob('${name}', (job) => {
  job.from(numbers).keyBy('one', () => 'all').window('all', tumbling('${size}')).aggregate({ count: count() })
    .map((row, { start }) => ({ start, ...row })).to(out)
})
`
}

let files = 0
function fileOf(source: string): string {
  const file = join(dir, String(files++), 'job.ts')
  mkdirSync(dirname(file))
  writeFileSync(file, source)
  return file
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

interface FollowOptions {
  readonly query?: string
  readonly lastEventId?: string
  readonly meanwhile?: () => Promise<unknown>
}

/** The first values that come. */
async function follow(topic: string, count: number, { query = '', lastEventId, meanwhile }: FollowOptions): Promise<{ n: number }[]> {
  const stop = new AbortController()
  const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
  const response = await fetch(`${server.url}/api/v1/topics/${topic}/follow${query}`, { headers, signal: stop.signal })
  const found: { n: number }[] = []
  let text = ''
  await meanwhile?.()
  for await (const chunk of response.body!) {
    text += Buffer.from(chunk).toString()
    const events = text.split('\n\n')
    text = events.pop()!
    for (const event of events) {
      const data = /^data: (.*)$/m.exec(event)
      if (data !== null) found.push((JSON.parse(data[1]!) as { value: { n: number } }).value)
    }
    if (found.length >= count) break
  }
  stop.abort()
  return found.slice(0, count)
}
