import { afterEach, expect, test, vi } from 'vitest'
import { readRecords } from '../../../../engine/log/read-records.ts'
import { serverInProcess } from './server-in-process.ts'

const found = serverInProcess()
afterEach(() => vi.restoreAllMocks())

async function send(topic: string, payload: string | Buffer, type = 'application/json', headers: Record<string, string> = {}) {
  const url = `/api/v1/topics/${topic}/records`
  const response = await found.app.inject({ method: 'POST', url, payload, headers: { 'content-type': type, ...headers } })
  return { status: response.statusCode, headers: response.headers, body: response.json() as Record<string, unknown> }
}
async function taken(topic: string): Promise<string[]> {
  const values: string[] = []
  for await (const { value } of readRecords(found.server.log, topic, 0, 0)) values.push(Buffer.from(value!).toString())
  return values
}

/** What a program that reads and writes JSON again would give otherwise. */
const exact = [
  '{"id":9007199254740993}',
  '{"big": 1e400}',
  '-0',
  '1.0',
  '{"a":1,"a":2}',
  '{"__proto__":{"n":1}}',
  '"\\u00e9, ]\\"["',
  '[1,\n 2]',
  'null',
]

test('records are taken as the bytes that were sent: alone, in an array, and line by line', async () => {
  for (const text of exact) expect((await send('alone', ` \r\n${text}\n`)).body.added).toBe(text.startsWith('[') ? 2 : 1)
  expect(await taken('alone')).toEqual(exact.flatMap((text) => (text.startsWith('[') ? ['1', '2'] : [text])))
  expect((await send('array', `\uFEFF[\n${exact.join(' ,\n')} ]\n`)).body.added).toBe(exact.length)
  expect(await taken('array')).toEqual(exact)
  const lines = exact.map((text) => text.replace('\n', ''))
  await send('lines', lines.join('\n'), 'application/x-ndjson')
  expect(await taken('lines')).toEqual(lines)
  expect((await send('none', '[ ]')).body.added).toBe(0)
})

test('a body that is no JSON is refused with its place, and nothing of it is in', async () => {
  for (const [text, line] of [
    ['', 1],
    ['{"a":1}]', 1],
    ['[1,\n{"a":nope}]', 2],
    ['[1,\n2', 2],
    ['[1]\n[2]', 2],
    [Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d]), 1],
  ] as const) {
    expect(await send('bad', text)).toMatchObject({
      status: 400,
      body: { code: 'RECORD_MALFORMED', details: { line, added: 0 }, fix: 'mend the record, then send the body again' },
    })
  }
  expect(found.server.log.bounds('bad', 0).end).toBe(0)
})

test('a record may be as large as on a line, and no larger', async () => {
  const large = `"${'x'.repeat(8 << 20)}"`
  for (const text of [large, `[1,${large}]`])
    expect(await send('large', text)).toMatchObject({ status: 413, body: { code: 'RECORD_TOO_LARGE', details: { line: 1, added: 0 } } })
  expect(await send('large', `${large}\n`, 'application/x-ndjson')).toMatchObject({ status: 413, body: { code: 'RECORD_TOO_LARGE' } })
})

test('one Idempotency-Key with the same bytes takes them once; with others it is refused', async () => {
  const key = { 'idempotency-key': 'k' }
  await send('keyed', '[9007199254740993]', undefined, key)
  expect((await send('keyed', '[9007199254740993]', undefined, key)).headers['idempotent-replay']).toBe('true')
  expect((await send('keyed', '[9007199254740992]', undefined, key)).status).toBe(422)
  expect(await taken('keyed')).toEqual(['9007199254740993'])
})

test('records without a time have one of the log: a wall clock that was set forward does not put them into the future', async () => {
  const wall = Date.now()
  vi.spyOn(Date, 'now').mockReturnValue(wall + 7_200_000)
  await send('timeless', '[1]')
  await send('timeless', '2\n', 'application/x-ndjson')
  const times: { eventTime: number; appendTime: number }[] = []
  for await (const record of readRecords(found.server.log, 'timeless', 0, 0)) times.push(record)
  expect(times).toHaveLength(2)
  for (const { eventTime, appendTime } of times) expect(eventTime).toBeLessThanOrEqual(appendTime)
})
