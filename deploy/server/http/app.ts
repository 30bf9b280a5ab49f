import swagger from '@fastify/swagger'
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import { validatorCompiler } from 'fastify-type-provider-zod'
import { StreamError } from '../../../engine/errors.ts'
import { isLoopback } from '../loopback.ts'
import type { RepriseServer } from '../server.ts'
import { answerFirst } from './answer-first.ts'
import { auditChanges } from './audit-changes.ts'
import { backupRoutes } from './backup-routes.ts'
import { bodyPauseMsMax, limitPauses } from './body-pause.ts'
import { changing } from './changing.ts'
import { refuseClient } from './client-error.ts'
import { parseBodies } from './content-types.ts'
import { eventRoutes } from './event-routes.ts'
import { rememberKeys } from './idempotency-keys.ts'
import { jobRoutes } from './job-routes.ts'
import { refuseUnknown } from './known-paths.ts'
import { openapiOptions } from './openapi.ts'
import { operationRoutes } from './operation-routes.ts'
import { checkPermissions } from './permission.ts'
import { pathOf, problemOf, problemType, Refusal, statusOf } from './problem.ts'
import { serializerCompiler } from './serializer.ts'
import { systemRoutes } from './system-routes.ts'
import { tableRoutes } from './table-routes.ts'
import { tokenRoutes } from './token-routes.ts'
import { topicRoutes } from './topic-routes.ts'
import { withTypes } from './typed-app.ts'

const bodyBytesMax = 16 << 20
/** A name has 249 characters, each of them three where it is escaped; the rest the schema refuses. */
const paramLengthMax = 1000
/** For the headers of a request; its body comes as fast as it comes. */
const headersMsMax = 60_000
/** A supervisor has started the next one by then. */
const restartSeconds = 5

/** The admin API. Every route has its schema, so that the document at /openapi.json is what is checked. */
export async function makeApp(server: RepriseServer, pauseMsMax = bodyPauseMsMax): Promise<FastifyInstance> {
  const app = fastify({
    bodyLimit: bodyBytesMax,
    requestTimeout: 0,
    forceCloseConnections: true,
    return503OnClosing: true,
    routerOptions: { maxParamLength: paramLengthMax },
    genReqId: requestId,
    frameworkErrors: answerError,
    clientErrorHandler: (error, socket) => refuseClient(requestId(), error, socket),
  })
  app.server.headersTimeout = headersMsMax
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  parseBodies(app)
  limitPauses(app, pauseMsMax, server.leaving)
  answerFirst(app, changing)
  await app.register(swagger, openapiOptions(server.needsTokens))
  app.addHook('onRequest', async (request) => {
    refuseStrangers(request, server)
    if (server.stopping && changing.has(request.method)) throw new StreamError('SERVER_STOPPING')
  })
  checkPermissions(app, server)
  app.setErrorHandler((error, request, reply) => {
    const status = statusOf(error)
    if (status === 401 || status === 403)
      server.metrics.add('reprise_auth_failures_total', { reason: status === 401 ? 'unauthenticated' : 'forbidden' }, 1)
    if (status >= 500) server.logger.error({ error, path: pathOf(request.url), requestId: request.id }, 'request failed')
    if (error instanceof StreamError && error.code === 'TOO_MANY_GUESSES') reply.header('retry-after', String(error.details.seconds))
    if (error instanceof StreamError && error.code === 'SERVER_STOPPING') reply.header('retry-after', String(restartSeconds))
    if (status === 401) reply.header('www-authenticate', 'Bearer')
    // The rest of the body is not waited for.
    if (status === 408 || status === 503) reply.header('connection', 'close')
    return answerError(error, request, reply)
  })
  refuseUnknown(app)
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none'
    const { method } = request
    server.metrics.add('reprise_api_requests_total', { method, route, status: String(reply.statusCode) }, 1)
    const streams = String(reply.raw.getHeader('content-type')).startsWith('text/event-stream')
    if (!streams) server.metrics.observe('reprise_api_request_duration_seconds', { method, route }, reply.elapsedTime / 1000)
  })
  auditChanges(app, server)
  rememberKeys(app, server.answers, server.logger)
  const typed = withTypes(app)
  systemRoutes(typed, server)
  jobRoutes(typed, server)
  operationRoutes(typed, server)
  backupRoutes(typed, server)
  topicRoutes(typed, server)
  tableRoutes(typed, server)
  tokenRoutes(typed, server)
  eventRoutes(typed, server)
  await app.ready()
  return app
}

const requestId = () => `r-${Math.random().toString(36).slice(2, 10)}`

function answerError(error: unknown, { id, url }: FastifyRequest, reply: FastifyReply): FastifyReply {
  return reply
    .status(statusOf(error))
    .type(problemType)
    .serializer(JSON.stringify)
    .send(problemOf(error, id, pathOf(url)))
}

/** A page in a browser must not reach us under another name (DNS rebinding), nor send us what a form can. */
function refuseStrangers({ headers, method }: FastifyRequest, { needsTokens }: RepriseServer): void {
  const host = (headers.host ?? '').replace(/:\d+$/, '')
  // With tokens that name may be any: a page has none to send.
  if (!needsTokens && !isLoopback(host)) throw new Refusal(421, `this server is not ${host}`)
  const { origin } = headers
  if (!changing.has(method) || origin === undefined) return
  // Of a page without a name it is the word null.
  const page = URL.canParse(origin) ? new URL(origin).host : undefined
  if (page !== headers.host) throw new Refusal(403, `pages of ${origin} may not change anything`)
}
