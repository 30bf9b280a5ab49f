import { beforeAll, describe, expect, test } from 'vitest'
import type { AuditRow } from '../../deploy/server/audit-log.ts'
import { persistently } from './server-process.ts'
import { numbers, serverUnderTest, stateless } from './server-under-test.ts'

const { server, send, deploy, cli, until, caughtUp, promote, records } = await serverUnderTest()

// `numbers` is published by v2; v3 was given up.
beforeAll(async () => {
  await send('numbers', numbers(0, 20))
  await deploy(stateless('numbers', 'false'), { createTopics: true })
  await caughtUp('numbers', 1)
  await deploy(stateless('numbers', 'n < 0'))
  await until('numbers', 2, ({ phase }) => phase === 'caught-up')
  await promote('numbers', 2)
  await deploy(stateless('numbers', 'n < -1'))
  await until('numbers', 3, ({ phase }) => phase === 'caught-up')
  await server.api.post('/api/v1/jobs/numbers/abort', { version: 3 })
})

test('the versions of a job, and what was asked for, are listed newest first', async () => {
  const list = async (path: string) => (await server.api.get<{ items: Record<string, unknown>[] }>(`/api/v1/${path}`)).items
  expect((await list('jobs/numbers/versions')).map(({ version, role }) => [version, role])).toEqual([
    [3, 'aborted'],
    [2, 'active'],
    [1, 'standby'],
  ])
  const [promoted] = await list('operations?job=numbers&limit=1')
  expect(promoted).toMatchObject({ kind: 'promote', job: 'numbers', version: 2, state: 'done', error: null })
  expect(await server.api.get(`/api/v1/operations/${promoted!.id}`)).toEqual(promoted)
  expect(await list('operations?job=nobody')).toEqual([])
  await expect(server.api.get('/api/v1/jobs/nobody/versions')).rejects.toMatchObject({ code: 'JOB_UNKNOWN' })
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

  test('values are given as they were sent', async () => {
    const sent = '{"n":12345678901234567890,"n":1e400}'
    const path = `${server.url}/api/v1/topics/exact/records`
    await fetch(path, { method: 'POST', body: sent, headers: { 'content-type': 'application/x-ndjson' } })
    expect(await (await fetch(path)).text()).toContain(`"value":${sent}`)
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
  await persistently(async () =>
    expect(await query('key=k1')).toMatchObject({ items: [{ key: 'k1', value: { n: 21 } }], next: null, version: 1, control: 3 }),
  )
  // k0 was taken back by the last record of it.
  const first = await query('prefix=k&limit=4')
  expect(first.items.map(({ key }) => key)).toEqual(['k1', 'k2', 'k3', 'k4'])
  expect((await query(`prefix=k&limit=40&after=${first.next}`)).items.map(({ key }) => key)).toEqual(['k5', 'k6', 'k7', 'k8', 'k9'])
  // By version: what it has computed, although another one publishes.
  expect(await query('key=k1&version=2')).toMatchObject({ items: [{ key: 'k1', value: { n: 21.5 } }], version: 2, control: 3 })
  expect(await query('key=k1&version=1')).toMatchObject({ items: [{ value: { n: 21 } }], version: 1 })
  await promote('table', 2)
  // What nobody wrote since is still of v1 in public; v2 has its own.
  expect(await query('key=k2')).toMatchObject({ items: [{ value: { n: 22 } }], version: 2 })
  expect(await query('key=k2&version=2')).toMatchObject({ items: [{ value: { n: 22.5 } }] })
  await send('table', numbers(41, 42))
  await persistently(async () =>
    expect(await query('key=k1&minControl=5')).toMatchObject({ items: [{ value: { n: 41.5 } }], version: 2, control: 5 }),
  )
  await persistently(async () => {
    expect(await query('key=k1&version=2')).toMatchObject({ items: [{ value: { n: 41.5 } }] })
    // It goes on in private.
    expect(await query('key=k1&version=1')).toMatchObject({ items: [{ value: { n: 41 } }] })
  })
  expect((await query('version=1&prefix=k')).items.length).toBe(9)
  expect((await cli('query', 'table-out', 'k1', '--version', 'v1')).stdout).toContain('k1   {"n":41}')
  expect((await cli('query', 'table-out', 'k1', '--version', 'newest')).code).toBe(2)
  expect((await cli('query', 'table-out', '--version', '9')).code).toBe(5)
  const outputs = (await cli('outputs', 'table', 'v2', '--json')).stdout
  expect(JSON.parse(outputs)).toEqual({
    items: [
      { output: 'table-out', partition: 0, topic: 'table.v2.private.table-out', from: '0', to: null },
      { output: 'table-out', partition: 0, topic: 'table-out', from: '30', to: null },
    ],
  })
  expect((await cli('outputs', 'table', 'v1')).stdout).toMatch(
    /table-out\/0 +table-out +0 +30\n.*table-out\/0 +table\.v1\.private\.table-out +0 +–/,
  )
  await expect(query('key=k1&minControl=9')).rejects.toThrow(/REQUEST_INVALID.*not made yet/)
  expect((await cli('query', 'table-out', 'k2')).stdout).toContain('k2   {"n":22}')
  expect((await cli('query', 'table-out', 'k0')).code).toBe(5)
  await expect(server.api.get('/api/v1/tables/numbers-out')).rejects.toThrow(/REQUEST_INVALID.*no table/)
  // Of a version that was given up nothing is left.
  await expect(server.api.get('/api/v1/jobs/numbers/versions/3/outputs')).rejects.toThrow(/VERSION_STATE.*it was aborted/)
  await server.api.post('/api/v1/jobs/table/abort', { version: 1 })
  await expect(query('version=1')).rejects.toThrow(/VERSION_STATE.*it was retired/)
})

test('dead letters are listed, dropped and retried while the server runs; what is retried the version that publishes processes, once', {
  timeout: 60_000,
}, async () => {
  const job = (fails: string) =>
    stateless('letters', fails).replace("defineJob('letters', (job)", "defineJob('letters', { onBad: 'deadLetter' }, (job)")
  await send('letters', numbers(0, 10))
  await deploy(job('n === 3 || n === 5'), { createTopics: true, parallelism: 2 })
  await caughtUp('letters', 1)
  const listed = JSON.parse((await cli('dlq', 'list', 'letters', '--json')).stdout) as {
    letters: { id: number; source: object; code: string }[]
  }
  expect(listed).toMatchObject({ more: false })
  expect(listed.letters).toMatchObject([
    { id: 0, state: 'open', code: 'OPERATOR_THREW', source: { topic: 'letters', partition: 0, offset: 3 }, value: { n: 3 } },
    { id: 1, state: 'open', source: { offset: 5 } },
  ])
  const first = await server.api.get<{ items: { id: number }[]; next: string }>('/api/v1/jobs/letters/dead-letters?limit=1')
  expect([first.items.map(({ id }) => id), first.next]).toEqual([[0], '1'])
  expect((await cli('dlq', 'show', 'letters', '1')).stdout).toMatch(/value +\{"n":5/)
  expect((await cli('dlq', 'show', 'letters', '7')).code).toBe(5)
  expect((await cli('dlq', 'drop', 'letters', '1')).code).toBe(6)
  expect((await cli('dlq', 'drop', 'letters', '1', '--yes')).stdout).toBe('dropped: 1 record\n')
  // A version that knows what to do with it; what the candidate has in private is not public.
  await deploy(job('false'), { parallelism: 2 })
  await until('letters', 2, ({ phase }) => phase === 'caught-up')
  await promote('letters', 2)
  const published = async () => (await records('letters-out')).map(({ value }) => (value as { n: number }).n).sort()
  expect(await published()).toEqual([0, 1, 2, 4, 6, 7, 8, 9])
  expect((await cli('dlq', 'retry', 'letters', '--all', '--dry-run')).stdout).toBe('would be retried: 1 record\n')
  expect((await cli('dlq', 'retry', 'letters', '--all')).stdout).toBe('retried: 1 record\n')
  expect((await cli('dlq', 'retry', 'letters', '0', '1')).stderr).toMatch(/0 was retried before\n1 was dropped before/)
  await persistently(async () => expect(await published()).toEqual([0, 1, 2, 3, 4, 6, 7, 8, 9]))
  await expect(server.api.post('/api/v1/jobs/letters/dead-letters/retry', {})).rejects.toThrow(/which dead letters/)
  expect((JSON.parse((await cli('dlq', 'list', 'letters', '--json')).stdout) as { letters: object[] }).letters).toEqual([])
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
    const asked = { version: 9, reason: 'a test order' }
    await expect(server.api.post('/api/v1/jobs/numbers/pause', asked)).rejects.toThrow('VERSION_UNKNOWN')
    await server.api.post('/api/v1/jobs/numbers/pause', {})
    await server.api.post('/api/v1/jobs/numbers/resume', {})
    const { items } = await server.api.get<{ items: AuditRow[] }>('/api/v1/audit?limit=1000')
    const about = (version: number) => ({ job: 'numbers', version })
    for (const row of [
      { path: '/api/v1/jobs/numbers/pause', status: 403, job: 'numbers' },
      { path: '/api/v1/jobs/numbers/abort', status: 200, by: 'test', ...about(3) },
      { path: '/api/v1/jobs/numbers/promote', status: 202, ...about(2) },
      { path: '/api/v1/versions', status: 201, ...about(1) },
      { path: '/api/v1/jobs/numbers/pause', status: 404, ...about(9) },
      // Which one was left to the server.
      { path: '/api/v1/jobs/numbers/pause', status: 200, ...about(2) },
    ])
      expect(items).toContainEqual(expect.objectContaining(row))
    expect((await cli('audit', '--limit', '1000')).stdout).toMatch(/\/jobs\/numbers\/abort +numbers +v3 +200/)
  })
})

test('metrics have one series a live version, its lag by partition, and no series of one that was aborted', {
  timeout: 30_000,
}, async () => {
  await persistently(async () => {
    const text = await (await fetch(`${server.url}/metrics`)).text()
    expect(text).toContain('reprise_input_lag_records{reprise_job="numbers",version="v2",topic="numbers",partition="0"} 0')
    expect(text).toContain('reprise_job_version_active{reprise_job="numbers",version="v2"} 1')
    expect(text).not.toMatch(/reprise_job="numbers",version="v3"/)
  }, 10_000)
})

test('what a version does can be asked for, also of one that is no more', async () => {
  const topology = (query: string) =>
    server.api.get<{ job: string; nodes: { name: string; kind: string }[] }>(`/api/v1/jobs/numbers/topology${query}`)
  for (const query of ['', '?version=1', '?version=3'])
    expect((await topology(query)).nodes.map(({ kind }) => kind)).toEqual(['source', 'operator', 'sink'])
  await expect(topology('?version=9')).rejects.toThrow(/VERSION_UNKNOWN/)
})

test('the API describes itself, every route with its answers', async () => {
  const document = (await (await fetch(`${server.url}/openapi.json`)).json()) as { openapi: string; paths: Record<string, object> }
  expect(document.openapi).toBe('3.1.0')
  expect(Object.keys(document.paths)).toContain('/api/v1/jobs/{job}/promote')
})

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
