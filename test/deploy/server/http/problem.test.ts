import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { problemOf } from '../../../../deploy/server/http/problem.ts'
import { serverInProcess } from './server-in-process.ts'

const found = serverInProcess()

const page = (code: string) => `https://reprise.dev/errors/${code}`

test('a path that is not there is told from a method that it does not take', async () => {
  const unknown = await found.app.inject('/api/v1/nothing?token=x')
  expect([unknown.statusCode, unknown.headers['content-type']]).toEqual([404, 'application/problem+json'])
  expect(unknown.json()).toMatchObject({ code: 'REQUEST_INVALID', type: page('REQUEST_INVALID'), instance: '/api/v1/nothing' })
  const method = await found.app.inject({ method: 'DELETE', url: '/api/v1/topics/x/records?a=b' })
  expect([method.statusCode, method.headers.allow]).toEqual([405, 'GET, HEAD, POST'])
  expect(method.json()).toMatchObject({ code: 'REQUEST_INVALID', fix: 'it takes GET, HEAD, POST', instance: '/api/v1/topics/x/records' })
  expect((await found.app.inject({ method: 'PUT', url: '/api/v1/jobs/a/promote' })).headers.allow).toBe('POST')
})

test('every refusal has a page and says what was called', async () => {
  const { statusCode, body } = await found.app.inject('/api/v1/topics/x/records?limit=no')
  expect(statusCode).toBe(400)
  expect(JSON.parse(body)).toMatchObject({ type: page('REQUEST_INVALID'), instance: '/api/v1/topics/x/records', title: expect.any(String) })
  const unknown = await found.app.inject('/api/v1/topics/x')
  expect(unknown.json()).toMatchObject({ type: page('TOPIC_UNKNOWN'), status: 404, instance: '/api/v1/topics/x' })
  const path = await found.app.inject('/api/v1/topics/%zz')
  expect([path.statusCode, path.headers['content-type'], path.json<{ type: string }>().type]).toEqual([
    400,
    'application/problem+json',
    page('REQUEST_INVALID'),
  ])
})

test('of our own mistakes a client is told that there was one, and where to look', () => {
  const problem = problemOf(new TypeError('x is not a function'), 'r-1', '/api/v1/jobs')
  expect(problem).toMatchObject({
    type: page('INTERNAL'),
    status: 500,
    code: 'INTERNAL',
    details: { requestId: 'r-1' },
    instance: '/api/v1/jobs',
  })
  expect(JSON.stringify(problem)).not.toContain('not a function')
})

test('what is no HTTP is answered as a problem too', async () => {
  for (const [sent, status] of [
    ['no http\r\n\r\n', 400],
    [`GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx: ${'x'.repeat(100_000)}\r\n\r\n`, 431],
  ] as const) {
    const text = await answerTo(sent)
    const [head, body] = text.split('\r\n\r\n')
    expect(head).toContain(`HTTP/1.1 ${status} `)
    expect(head).toContain('content-type: application/problem+json')
    expect(JSON.parse(body!)).toMatchObject({ type: page('REQUEST_INVALID'), status, code: 'REQUEST_INVALID' })
  }
})

test('to go on behind an event its id is needed, not any word', async () => {
  await found.app.inject({ method: 'POST', url: '/api/v1/topics/followed/records', payload: [1] })
  const after = (id: string) => found.app.inject({ url: '/api/v1/topics/followed/follow', headers: { 'last-event-id': id } })
  for (const id of ['garbage', '-1', '1.5', '9'.repeat(30)])
    expect([id, (await after(id)).statusCode, (await after(id)).json<{ code: string }>().code]).toEqual([id, 400, 'REQUEST_INVALID'])
})

function answerTo(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(found.server.url).port), '127.0.0.1', () => socket.write(text))
    let answer = ''
    socket.on('data', (chunk) => {
      answer += String(chunk)
    })
    socket.on('end', () => resolve(answer))
    socket.on('error', reject)
  })
}
