import { mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { PassThrough } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeApp } from '../../../../deploy/server/http/app.ts'
import { withoutLongPause } from '../../../../deploy/server/http/body-pause.ts'
import { serverInProcess, startInProcess } from './server-in-process.ts'

const found = serverInProcess()
const goesOn = new AbortController().signal

test('a request has no time at which it must be over, but its headers do', () => {
  const { requestTimeout, headersTimeout } = found.app.server
  expect([requestTimeout, headersTimeout]).toEqual([0, 60_000])
})

/** Sends the beginning of a body and waits for the answer. */
const sendTo = ({ hostname, port }: URL, path: string, type: string, text: string) =>
  new Promise<{ status: number | undefined; type: string | undefined; body: Record<string, unknown> }>((resolve, reject) => {
    const headers = { 'content-type': type }
    const call = request({ host: hostname, port, path, method: 'POST', headers }, (response) => {
      let body = ''
      response.on('data', (chunk) => {
        body += String(chunk)
      })
      response.on('end', () => {
        call.destroy()
        resolve({
          status: response.statusCode,
          type: response.headers['content-type'],
          body: JSON.parse(body) as Record<string, unknown>,
        })
      })
    })
    call.on('error', reject)
    // Never ended.
    call.write(text)
  })

describe('a body that stands still', () => {
  let impatient: Awaited<ReturnType<typeof makeApp>>
  let url: URL
  beforeAll(async () => {
    impatient = await makeApp(found.server, 200)
    url = new URL(await impatient.listen({ host: '127.0.0.1', port: 0 }))
  })
  afterAll(() => impatient.close())

  const send = (path: string, type: string, text: string) => sendTo(url, path, type, text)

  test('is ended with what was taken of it', async () => {
    const path = '/api/v1/topics/still/records?producer=p&sequence=0'
    expect(await send(path, 'application/x-ndjson', '{"n":0}\n{"n":1}\n{"n"')).toMatchObject({
      status: 408,
      type: 'application/problem+json',
      body: { code: 'REQUEST_TIMED_OUT', details: { added: 2, skipped: 0, nextSequence: 2 }, fix: 'send what comes from number 2 on' },
    })
  })

  test('is ended on any route', async () => {
    expect(await send('/api/v1/jobs/x/pause', 'application/json', '{')).toMatchObject({ status: 408, body: { code: 'REQUEST_TIMED_OUT' } })
  })
})

test('time in which nobody asks for the body does not count', async () => {
  const body = new PassThrough()
  const chunks = withoutLongPause(body, 50, goesOn)
  body.write('a')
  expect(String((await chunks.next()).value)).toBe('a')
  // As a log that is slower than the client.
  await new Promise((resolve) => setTimeout(resolve, 200))
  body.end('b')
  expect(String((await chunks.next()).value)).toBe('b')
  expect((await chunks.next()).done).toBe(true)
})

test('a body that is left before its end stays open, so that its sender can be answered', async () => {
  const body = new PassThrough()
  body.write('a')
  for await (const _ of withoutLongPause(body, 1000, goesOn)) break
  expect(body.destroyed).toBe(false)
})

test('a body that is coming when the server stops is ended with what was taken of it', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'reprise-leaving-'))
  const server = await startInProcess(folder)
  const ndjson = 'application/x-ndjson'
  const answer = sendTo(new URL(server.url), '/api/v1/topics/coming/records?producer=p&sequence=0', ndjson, '{"n":0}\n{"n":1}\n')
  await expect.poll(() => server.log.topic('coming') && server.log.bounds('coming', 0).end).toBe(2)
  const closed = server.close()
  expect(await answer).toMatchObject({
    status: 503,
    body: { code: 'SERVER_STOPPING', details: { added: 2, skipped: 0, nextSequence: 2 }, fix: 'send what comes from number 2 on' },
  })
  await closed
  await rm(folder, { recursive: true })
})
