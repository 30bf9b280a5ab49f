import { createHash } from 'node:crypto'
import swagger from '@fastify/swagger'
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import { jsonSchemaTransform, serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import { StreamError } from '../../../engine/errors.ts'
import { packageVersion } from '../../package-version.ts'
import { isLoopback } from '../loopback.ts'
import type { RepriseServer } from '../server.ts'
import { eventRoutes } from './event-routes.ts'
import { jobRoutes } from './job-routes.ts'
import { checkPermissions } from './permission.ts'
import { problemOf, statusOf } from './problem.ts'
import { systemRoutes } from './system-routes.ts'
import { tableRoutes } from './table-routes.ts'
import { tokenRoutes } from './token-routes.ts'
import { topicRoutes } from './topic-routes.ts'
import { whoAsks, withTypes } from './typed-app.ts'

const bodyBytesMax = 16 << 20
const keysMax = 10_000
/** A supervisor has started the next one by then. */
const restartSeconds = 5
const changing = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])

/** The admin API. Every route has its schema, so that the document at /openapi.json is what is checked. */
export async function makeApp(server: RepriseServer): Promise<FastifyInstance> {
  const app = fastify({
    bodyLimit: bodyBytesMax,
    requestTimeout: 60_000,
    forceCloseConnections: true,
    return503OnClosing: true,
    onProtoPoisoning: 'error',
    onConstructorPoisoning: 'error',
    genReqId: () => `r-${Math.random().toString(36).slice(2, 10)}`,
  })
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  await app.register(swagger, {
    openapi: { openapi: '3.1.0', info: { title: 'Reprise admin API', version: packageVersion() } },
    transform: jsonSchemaTransform,
  })
  app.addHook('onRequest', async (request) => {
    refuseStrangers(request, server)
    if (server.stopping && changing.has(request.method)) throw new StreamError('SERVER_STOPPING')
  })
  checkPermissions(app, server)
  app.setErrorHandler((error, request, reply) => {
    const status = statusOf(error)
    if (status === 401 || status === 403)
      server.metrics.add('reprise_auth_failures_total', { reason: status === 401 ? 'unauthenticated' : 'forbidden' }, 1)
    if (status >= 500) server.logger.error({ error, path: request.url, requestId: request.id }, 'request failed')
    if (error instanceof StreamError && error.code === 'TOO_MANY_GUESSES') reply.header('retry-after', String(error.details.seconds))
    if (error instanceof StreamError && error.code === 'SERVER_STOPPING') reply.header('retry-after', String(restartSeconds))
    if (status === 401) reply.header('www-authenticate', 'Bearer')
    return reply.status(status).type('application/problem+json').serializer(JSON.stringify).send(problemOf(error, request.id))
  })
  app.setNotFoundHandler((request) => {
    throw Object.assign(new Error(`there is no ${request.method} ${request.url.split('?')[0]}`), { statusCode: 404 })
  })
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none'
    const { method } = request
    server.metrics.add('reprise_api_requests_total', { method, route, status: String(reply.statusCode) }, 1)
    const streams = String(reply.raw.getHeader('content-type')).startsWith('text/event-stream')
    if (!streams) server.metrics.observe('reprise_api_request_duration_seconds', { method, route }, reply.elapsedTime / 1000)
  })
  auditChanges(app, server)
  rememberKeys(app)
  const typed = withTypes(app)
  systemRoutes(typed, server)
  jobRoutes(typed, server)
  topicRoutes(typed, server)
  tableRoutes(typed, server)
  tokenRoutes(typed, server)
  eventRoutes(typed, server)
  await app.ready()
  return app
}

/** A page in a browser must not reach us under another name (DNS rebinding), nor send us what a form can. */
function refuseStrangers({ headers, method }: FastifyRequest, { needsTokens }: RepriseServer): void {
  const host = (headers.host ?? '').replace(/:\d+$/, '')
  const refuse = (statusCode: number, reason: string) => {
    throw Object.assign(new Error(reason), { statusCode })
  }
  // With tokens that name may be any: a page has none to send.
  if (!needsTokens && !isLoopback(host)) refuse(421, `this server is not ${host}`)
  const { origin } = headers
  if (!changing.has(method) || origin === undefined) return
  // Of a page without a name it is the word null.
  const page = URL.canParse(origin) ? new URL(origin).host : undefined
  if (page !== headers.host) refuse(403, `pages of ${origin} may not change anything`)
}

/** Records of topics are no decisions: they have their own place. */
const audited = ({ method, url }: FastifyRequest): boolean => changing.has(method) && !/^\/api\/v1\/topics\/[^/]+\/records/.test(url)

function auditChanges(app: FastifyInstance, server: RepriseServer): void {
  app.addHook('onSend', async (request, reply) => {
    if (!audited(request) || reply.statusCode === 429) return
    const { method, id } = request
    const path = request.url.split('?')[0]!
    try {
      await server.audit.add({ by: whoAsks(request), method, path, status: reply.statusCode, requestId: id })
    } catch (error) {
      server.logger.error({ error, path, requestId: id }, 'a call is missing in the audit log')
    }
  })
}

/** Another call may be let in. */
const denials = new Set([401, 403, 429])

interface Answered {
  readonly body: string
  readonly status: number
  readonly payload: unknown
}

/** The same Idempotency-Key again gives the same answer, and does nothing again; with another body it is refused. */
function rememberKeys(app: FastifyInstance): void {
  const known = new Map<string, Answered>()
  const keyOf = ({ headers, method, url, token }: FastifyRequest) => {
    const key = headers['idempotency-key']
    return typeof key === 'string' && changing.has(method) ? `${token?.name} ${method} ${url} ${key}` : undefined
  }
  app.addHook('preHandler', async (request: FastifyRequest, reply: FastifyReply) => {
    const key = keyOf(request)
    const before = key === undefined ? undefined : known.get(key)
    if (before === undefined) return
    if (before.body !== bodyHash(request.body)) {
      throw Object.assign(new Error('this Idempotency-Key was used with another body'), { statusCode: 422 })
    }
    return reply.status(before.status).header('idempotent-replay', 'true').serializer(String).type('application/json').send(before.payload)
  })
  app.addHook('onSend', async (request, reply, payload) => {
    const key = keyOf(request)
    if (key === undefined || reply.statusCode >= 500 || denials.has(reply.statusCode) || known.has(key)) return
    known.set(key, { body: bodyHash(request.body), status: reply.statusCode, payload })
    if (known.size > keysMax) known.delete(known.keys().next().value!)
  })
}

function bodyHash(body: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(body ?? null))
    .digest('hex')
}
