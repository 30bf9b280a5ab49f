import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import type { AuditRow } from '../../../../deploy/server/audit-log.ts'
import { takeRecords } from '../../../../deploy/server/http/take-records.ts'
import { serverInProcess } from './server-in-process.ts'

const found = serverInProcess()

async function send(topicAndQuery: string, payload: string, type = 'application/x-ndjson', headers: Record<string, string> = {}) {
  const [topic, query = ''] = topicAndQuery.split('?')
  const url = `/api/v1/topics/${topic}/records?${query}`
  const response = await found.app.inject({ method: 'POST', url, payload, headers: { 'content-type': type, ...headers } })
  return { status: response.statusCode, type: response.headers['content-type'], body: response.json() as Record<string, unknown> }
}
const json = 'application/json'
const values = async (topic: string) =>
  (await found.app.inject(`/api/v1/topics/${topic}/records?limit=10000`))
    .json<{ items: { value: unknown; eventTime: unknown }[] }>()
    .items.map(({ value }) => value)

describe('where a body fails half way', () => {
  test('all before a bad line is in, and the answer says how much that is', async () => {
    const lines = Array.from({ length: 20_000 }, (_, n) => `{"n":${n}}\n`).join('')
    const { status, body } = await send('half', `${lines}\n{"n":\n{"n":1}\n`)
    expect(status).toBe(400)
    expect(body).toMatchObject({ code: 'RECORD_MALFORMED', details: { line: 20_002, added: 20_000, skipped: 0, nextSequence: null } })
    expect(body.fix).toBe('mend the record, then send the body again without its first 20000 records: they are in')
    expect(await values('half')).toHaveLength(10_000)
    expect((await send('half', 'no')).body.fix).toBe('mend the record, then send the body again')
    expect(found.server.log.bounds('half', 0).end).toBe(20_000)
  })

  test('who numbers the records is told where to go on', async () => {
    await send('numbered?producer=p&sequence=0', '{"n":0}\n{"n":1}\n')
    const { body } = await send('numbered?producer=p&sequence=0', '{"n":0}\n{"n":1}\n{"n":2}\nno\n')
    expect(body.details).toMatchObject({ line: 4, added: 1, skipped: 2, nextSequence: 3 })
    expect(body.fix).toBe('mend the record, then send what comes from number 3 on')
    const gap = await send('numbered?producer=p&sequence=5', '{"n":5}\n')
    expect(gap.body).toMatchObject({
      code: 'REQUEST_INVALID',
      details: { expected: 3, added: 0, nextSequence: 3 },
      fix: 'send what comes from number 3 on',
    })
  })

  test('a key or a time that is none is named by its line', async () => {
    const key = await send('fields?key=k', '{"k":"a"}\n{"k":"b"}\n{}\n')
    expect(key.body).toMatchObject({ code: 'KEY_INVALID', details: { line: 3, field: 'k', added: 2 } })
    const time = await send('fields?time=t', '{"t":1}\n{"t":"soon"}\n')
    expect(time.body).toMatchObject({ code: 'EVENT_TIME_INVALID', details: { line: 2, field: 't', found: 'soon', added: 1 } })
    expect(await values('fields')).toEqual([{ k: 'a' }, { k: 'b' }, { t: 1 }])
  })

  test('a topic that a job begins to write takes no more of a body that is still coming', async () => {
    const { producers, log } = found.server
    await log.createTopic({ name: 'claimed', partitions: 1, kind: 'stream' })
    let claimed = false
    const writers = () => [{ job: 'orders', writes: () => claimed, seals: () => false }]
    async function* lines() {
      yield Buffer.from('{"n":0}\n')
      while (log.bounds('claimed', 0).end === 0) await new Promise((resolve) => setImmediate(resolve))
      claimed = true
      yield Buffer.from('{"n":1}\n')
    }
    const options = { producers, writers, now: () => 1, topic: 'claimed', key: undefined, time: undefined, producer: 'p', sequence: 0 }
    await expect(takeRecords(Readable.from(lines()), options)).rejects.toMatchObject({
      code: 'OUTPUT_OWNED',
      details: { topic: 'claimed', job: 'orders', added: 1, nextSequence: 1 },
    })
    expect(log.bounds('claimed', 0).end).toBe(1)
  })

  test('more at once than a commit holds is no failure of the server', async () => {
    const { status, body } = await send('much', `{"n":"${'x'.repeat(1 << 20)}"}\n`.repeat(33))
    expect([status, body.code, body.fix]).toEqual([413, 'COMMIT_TOO_LARGE', expect.stringMatching(/^send less at once/)])
    expect(body.details).toMatchObject({ added: 0 })
  })

  test('an array of very many records is refused before it is built: the server would stand still for all', async () => {
    const most = `[${'1,'.repeat(249_999)}1`
    const { status, body } = await send('many', `${most},1,no`, json)
    expect([status, body.code, body.fix]).toEqual([413, 'COMMIT_TOO_LARGE', expect.stringMatching(/^send less at once/)])
    expect(body.details).toMatchObject({ recordsMax: 250_000, added: 0 })
    expect((await send('many', `${most}]`, json)).body).toMatchObject({ added: 250_000 })
  })

  test('of an array nothing is in', async () => {
    const { status, body } = await send('array?key=k', '[{"k":"a"},{"k":{}}]', json)
    expect([status, body.code, body.details]).toEqual([
      400,
      'KEY_INVALID',
      { index: 1, field: 'k', found: {}, added: 0, skipped: 0, nextSequence: null },
    ])
    expect(body.fix).toBe('mend the record, then send the array again: nothing of it is in')
    expect(await values('array')).toEqual([])
  })
})

test('an event time that no date has is refused: it could not be read back', async () => {
  for (const t of [8.64e15 + 1, -8.64e15 - 1, 1e300])
    expect((await send('times?time=t', JSON.stringify({ t }), json)).body).toMatchObject({
      code: 'EVENT_TIME_INVALID',
      details: { found: t },
    })
  expect((await send('times?time=t', '[{"t":8.64e15},{"t":-8.64e15}]', json)).body).toMatchObject({ added: 2 })
  expect((await found.app.inject('/api/v1/topics/times/records')).json()).toMatchObject({
    items: [{ eventTime: '+275760-09-13T00:00:00.000Z' }, { eventTime: '-271821-04-20T00:00:00.000Z' }],
  })
})

test('what is nested too deep to be written again is refused, by line or as a whole', async () => {
  const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
  for (const levels of [1001, 5000, 1_000_000])
    expect(await send('deep', `[${nested(levels)}]`, json)).toMatchObject({ status: 400, body: { code: 'RECORD_MALFORMED' } })
  expect(await send('deepest', `[${nested(1000)}]`, json)).toMatchObject({ body: { added: 1 } })
  expect((await send('deep', `1\n{"a":${nested(5000)}}\n`)).body).toMatchObject({
    code: 'RECORD_MALFORMED',
    details: { line: 2, added: 1 },
  })
  expect((await send('deep', `${nested(1000)}\n"${'['.repeat(5000)}\\"["\n`)).status).toBe(200)
  const pause = await found.app.inject({
    method: 'POST',
    url: '/api/v1/jobs/x/pause',
    payload: `{"a":${nested(5000)}}`,
    headers: { 'content-type': json },
  })
  expect([pause.statusCode, pause.json<{ code: string }>().code]).toEqual([400, 'REQUEST_INVALID'])
  expect(await values('deep')).toHaveLength(3)
})

test('a text is no records: a file of lines would be one of them', async () => {
  const { status, type, body } = await send('text', '{"n":1}\n{"n":2}\n', 'text/plain')
  expect([status, type, body.code]).toEqual([415, 'application/problem+json', 'REQUEST_INVALID'])
  expect(body.fix).toContain('application/x-ndjson')
  expect(found.server.log.topic('text')).toBe(undefined)
})

test('a producer has a name', async () => {
  expect(await send('named?producer=&sequence=0', '1\n')).toMatchObject({ status: 400, body: { code: 'REQUEST_INVALID' } })
})

test('topics with the longest names are reached; longer ones are refused like anything else', async () => {
  const longest = 't'.repeat(249)
  expect((await send(longest, '1\n')).status).toBe(200)
  expect(await values(longest)).toEqual(['1'])
  expect(await send('t'.repeat(250), '1\n')).toMatchObject({ status: 400, type: 'application/problem+json' })
  expect(await send('t'.repeat(2000), '1\n')).toMatchObject({
    status: 414,
    type: 'application/problem+json',
    body: { code: 'REQUEST_INVALID' },
  })
})

test('records that were not let in are in the audit log; those that were are not', async () => {
  const token = await found.server.tokens.create({ name: 'reader', scopes: ['viewer'], expiresAt: undefined }, 'test')
  const as = (secret: string) => ({ authorization: `Bearer ${secret}` })
  expect((await send('audited', '1\n')).status).toBe(200)
  expect((await send('audited', '1\n', undefined, as(token))).status).toBe(403)
  expect((await send('audited', '1\n', undefined, as('rep_wrong'))).status).toBe(401)
  expect((await send('audited', '1\n', undefined, { origin: 'http://evil.example' })).status).toBe(403)
  const { items } = (await found.app.inject('/api/v1/audit?limit=1000')).json<{ items: AuditRow[] }>()
  expect(items.filter(({ path }) => path === '/api/v1/topics/audited/records').map(({ by, status }) => [by, status])).toEqual([
    ['anonymous', 403],
    ['anonymous', 401],
    ['token reader', 403],
  ])
})
