import { type FastifyInstance, fastify } from 'fastify'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { rememberKeys } from '../../../../deploy/server/http/idempotency-keys.ts'
import { problemOf, statusOf } from '../../../../deploy/server/http/problem.ts'
import { KnownAnswers } from '../../../../deploy/server/known-answers.ts'
import { MemoryLog } from '../../../../engine/log/memory/memory-log.ts'
import { silentLogger } from '../../../../engine/ports/world.ts'
import { SimClock } from '../../../support/sim-clock.ts'
import { serverInProcess } from './server-in-process.ts'

describe('a second call with the same key', () => {
  let app: FastifyInstance
  let runs: number
  let release: (status: number) => void
  beforeEach(async () => {
    runs = 0
    const clock = new SimClock()
    app = fastify()
    app.decorateRequest('token', undefined)
    app.setErrorHandler((error, { id }, reply) => reply.status(statusOf(error)).send(problemOf(error, id, '')))
    rememberKeys(app, await KnownAnswers.open(new MemoryLog({ clock }), clock, 1000), silentLogger)
    app.post('/do', async (_, reply) => {
      runs++
      const status = await new Promise<number>((resolve) => {
        release = resolve
      })
      return reply.status(status).header('location', '/done').send({ run: runs })
    })
  })
  afterEach(() => app.close())

  const call = (payload: object, key = 'k') => app.inject({ method: 'POST', url: '/do', payload, headers: { 'idempotency-key': key } })
  const started = async (payload: object) => {
    const before = runs
    const answer = call(payload)
    // Injected calls begin when they are waited for.
    void answer.then(() => {})
    while (runs === before) await new Promise((resolve) => setImmediate(resolve))
    return { answer }
  }

  test('does not run while the first is under way, also with another body', async () => {
    const first = await started({ a: 1 })
    const second = await call({ a: 1 })
    expect([second.statusCode, second.json<{ code: string }>().code, second.headers['retry-after']]).toEqual([
      409,
      'IDEMPOTENCY_KEY_IN_USE',
      '1',
    ])
    expect((await call({ a: 2 })).statusCode).toBe(422)
    release(201)
    expect((await first.answer).json()).toEqual({ run: 1 })
    const again = await call({ a: 1 })
    expect([again.statusCode, again.json(), again.headers['idempotent-replay'], again.headers.location]).toEqual([
      201,
      { run: 1 },
      'true',
      '/done',
    ])
    expect((await call({ a: 2 })).statusCode).toBe(422)
    expect(runs).toBe(1)
  })

  test('has the same answer while there is room for it: the oldest are forgotten', async () => {
    app.post('/large', () => ({ run: ++runs, text: 'x'.repeat(300) }))
    const large = async (key: string) =>
      (await app.inject({ method: 'POST', url: '/large', headers: { 'idempotency-key': key } })).json<{ run: number }>().run
    const asked: number[] = []
    for (const key of ['a', 'b', 'a', 'b', 'c', 'b', 'a', 'c', 'b']) asked.push(await large(key))
    expect(asked).toEqual([1, 2, 1, 2, 3, 2, 4, 3, 5])
  })

  test('runs where the first failed by a mistake of the server', async () => {
    const first = await started({ a: 1 })
    release(500)
    expect((await first.answer).statusCode).toBe(500)
    const second = await started({ a: 1 })
    release(200)
    expect((await second.answer).json()).toEqual({ run: 2 })
  })
})

const found = serverInProcess()

test('a streamed body takes no key, and nothing of it is in', async () => {
  const url = '/api/v1/topics/keyed/records'
  const headers = { 'content-type': 'application/x-ndjson', 'idempotency-key': 'k' }
  for (let i = 0; i < 2; i++) {
    const refused = await found.app.inject({ method: 'POST', url, payload: '1\n', headers })
    expect(refused.statusCode).toBe(400)
    expect(refused.json()).toMatchObject({ code: 'REQUEST_INVALID', fix: expect.stringContaining('producer and sequence') })
  }
  expect(found.server.log.topic('keyed')).toBe(undefined)
})

test('records of a JSON body are taken once by their key', async () => {
  const url = '/api/v1/topics/once/records'
  const headers = { 'content-type': 'application/json', 'idempotency-key': 'k' }
  for (let i = 0; i < 2; i++)
    expect((await found.app.inject({ method: 'POST', url, payload: '[1,2]', headers })).json()).toMatchObject({ added: 2 })
  expect(found.server.log.bounds('once', 0).end).toBe(2)
})
