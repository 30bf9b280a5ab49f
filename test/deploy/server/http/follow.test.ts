import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { expect, test } from 'vitest'
import { serverInProcess } from './server-in-process.ts'

const found = serverInProcess()

test('who follows a topic with a token that is revoked gets no more of it, however much there is', async () => {
  const { app, server } = found
  const payload = `{"pad":"${'x'.repeat(1 << 20)}"}\n`.repeat(16)
  const headers = { 'content-type': 'application/x-ndjson' }
  for (let i = 0; i < 3; i++) await app.inject({ method: 'POST', url: '/api/v1/topics/long/records', payload, headers })
  const token = await server.tokens.create({ name: 'reader', scopes: ['viewer'] }, 'test')
  const request = get(`${server.url}/api/v1/topics/long/follow?from=0`, { headers: { authorization: `Bearer ${token}` } })
  const [answer] = (await once(request, 'response')) as [IncomingMessage]
  await once(answer, 'readable')
  // It reads on only now: what is under way stands in the connection.
  await server.tokens.revoke('reader', 'test')
  let text = ''
  for await (const chunk of answer.setEncoding('utf8')) text += chunk as string
  expect(text.match(/^id: /gm)?.length).toBeLessThan(40)
  expect(text).toContain('event: bye')
})

test('who follows has one of so many places, which is free again once they leave', async () => {
  const { app, server } = found
  await app.inject({ method: 'POST', url: '/api/v1/topics/popular/records', payload: { n: 1 } })
  const follow = async () => {
    const request = get(`${server.url}/api/v1/topics/popular/follow`, { agent: false })
    const [answer] = (await once(request, 'response')) as [IncomingMessage]
    return { status: answer.statusCode, leave: () => request.destroy(), answer }
  }
  const followers = await Promise.all(Array.from({ length: 256 }, follow))
  expect(new Set(followers.map(({ status }) => status))).toEqual(new Set([200]))
  const refused = await follow()
  let text = ''
  for await (const chunk of refused.answer.setEncoding('utf8')) text += chunk as string
  expect([refused.status, JSON.parse(text)]).toEqual([
    429,
    expect.objectContaining({ code: 'REQUEST_INVALID', fix: expect.stringContaining('leave') }),
  ])
  for (const { answer, leave } of followers) {
    answer.on('error', () => {})
    leave()
  }
  await expect
    .poll(async () => {
      const { status, leave } = await follow()
      leave()
      return status
    })
    .toBe(200)
})
