import { beforeAll, describe, expect, test } from 'vitest'
import { serverInProcess } from './server-in-process.ts'

const found = serverInProcess()

interface Media {
  readonly content: Record<string, { readonly schema: object }>
}
interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly security?: object[]
  readonly requestBody?: Media
  readonly parameters?: { readonly name: string; readonly in: string }[]
  readonly responses: Record<string, Media>
}
interface Document {
  readonly openapi: string
  readonly security: object[]
  readonly components: { readonly schemas: Record<string, object>; readonly securitySchemes: Record<string, object> }
  readonly paths: Record<string, Record<string, Operation>>
}

let document: Document
let operations: [string, Operation][]
beforeAll(async () => {
  document = (await found.app.inject('/openapi.json')).json()
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => [`${method} ${path}`, operation]),
  )
})
const operation = (name: string) => operations.find(([each]) => each === name)![1]

describe('the document of the API', () => {
  test('has every route, the open ones too', () => {
    expect(document.openapi).toBe('3.1.0')
    expect(operations.length).toBeGreaterThan(30)
    const names = operations.map(([name]) => name)
    for (const name of ['get /metrics', 'get /livez', 'get /readyz', 'get /api/v1/audit', 'post /api/v1/jobs/{job}/promote'])
      expect(names).toContain(name)
  })

  test('gives each call a name of its own and says what it is for', () => {
    const ids = operations.map(([, { operationId }]) => operationId)
    expect(new Set(ids).size).toBe(ids.length)
    for (const id of ids) expect(id).toMatch(/^(get|post|patch|delete)[A-Z][A-Za-z]+$/)
    for (const [name, { summary }] of operations) expect([name, typeof summary]).toEqual([name, 'string'])
    expect(operation('get /api/v1/jobs/{job}/lag').operationId).toBe('getJobsByJobLag')
  })

  test('says what each answers, refusals as problems', () => {
    for (const [name, { responses }] of operations) {
      expect([name, Object.keys(responses).filter((status) => status.startsWith('2')).length > 0]).toEqual([name, true])
      for (const status of ['4XX', '5XX']) {
        expect([name, status, Object.keys(responses[status]?.content ?? {})]).toEqual([name, status, ['application/problem+json']])
        expect(responses[status]!.content['application/problem+json']!.schema).toEqual({ $ref: '#/components/schemas/Problem' })
      }
      for (const answer of Object.values(responses)) expect([name, Object.keys(answer.content).length > 0]).toEqual([name, true])
    }
    expect(document.components.schemas.Problem).toMatchObject({ properties: { type: {}, instance: {}, code: {}, details: {} } })
  })

  test('names the token, and the routes that need none', () => {
    expect(document.components.securitySchemes).toMatchObject({ token: { type: 'http', scheme: 'bearer' } })
    // On this machine alone it may be left out.
    expect(document.security).toEqual([{ token: [] }, {}])
    const open = operations.filter(([, { security }]) => security?.length === 0).map(([name]) => name)
    expect(open).toEqual(['get /livez', 'get /healthz', 'get /readyz'])
  })

  test('tells of streams: records as NDJSON, events, and where to go on', () => {
    const { requestBody } = operation('post /api/v1/topics/{topic}/records')
    expect(Object.keys(requestBody!.content)).toEqual(['application/json', 'application/x-ndjson'])
    for (const path of ['/api/v1/topics/{topic}/follow', '/api/v1/jobs/{job}/events']) {
      const { responses, parameters } = operation(`get ${path}`)
      expect(Object.keys(responses[200]!.content)).toContain('text/event-stream')
      expect(parameters).toContainEqual(expect.objectContaining({ in: 'header', name: 'last-event-id' }))
    }
  })

  test('tells of the Idempotency-Key wherever something is changed', () => {
    for (const [name, { parameters = [] }] of operations)
      expect([name, parameters.some(({ name }) => name === 'idempotency-key')]).toEqual([name, !name.startsWith('get ')])
  })

  test('refers to nothing that is not there, and has nothing that is not referred to', () => {
    expect(Object.keys(document.components.schemas)).toEqual(['Problem'])
    for (const [, name] of JSON.stringify(document).matchAll(/"#\/components\/schemas\/([^"]+)"/g))
      expect(document.components.schemas).toHaveProperty(name!)
  })
})
