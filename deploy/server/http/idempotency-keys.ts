import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { StreamError } from '../../../engine/errors.ts'
import type { Logger } from '../../../engine/ports/world.ts'
import type { KnownAnswers } from '../known-answers.ts'
import { changing } from './changing.ts'
import { pathOf, Refusal } from './problem.ts'

/** After that the first call may have its answer. */
const askAgainSeconds = 1

/** Another call may be let in. */
const denials = new Set([401, 403, 429])

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What it answers is shown once: it is written nowhere. */
    secret?: boolean
  }
}

/**
 * The same Idempotency-Key again gives the same answer, and does nothing again. While the first call is under way the others are refused:
 * IDEMPOTENCY_KEY_IN_USE. With another body it is always refused.
 */
export function rememberKeys(app: FastifyInstance, answers: KnownAnswers, logger: Logger): void {
  /** Hash of the body, by key. */
  const underWay = new Map<string, string>()
  /** The key of each call that was first with it. */
  const first = new WeakMap<FastifyRequest, string>()

  app.addHook('preHandler', async (request: FastifyRequest, reply: FastifyReply) => {
    const key = keyOf(request)
    if (key === undefined) return
    if (request.body instanceof Readable) {
      throw new Refusal(400, 'a body that is streamed takes no Idempotency-Key', 'give producer and sequence: each record is taken once')
    }
    const body = bodyHash(request.body)
    const before = answers.get(key)
    if ((before?.body ?? underWay.get(key) ?? body) !== body) throw new Refusal(422, 'this Idempotency-Key was used with another body')
    if (underWay.has(key)) {
      reply.header('retry-after', String(askAgainSeconds))
      throw new StreamError('IDEMPOTENCY_KEY_IN_USE', { key: request.headers['idempotency-key'] }, { fix: 'ask again with the same key' })
    }
    if (before !== undefined)
      return reply.status(before.status).headers(before.headers).header('idempotent-replay', 'true').serializer(String).send(before.payload)
    underWay.set(key, body)
    first.set(request, key)
  })
  app.addHook('onSend', async (request, reply, payload) => {
    const key = first.get(request)
    if (key === undefined) return
    const body = underWay.get(key)!
    try {
      if (reply.statusCode >= 500 || denials.has(reply.statusCode)) return
      const answer = { key, body, status: reply.statusCode, headers: headersOf(reply), payload }
      if (request.routeOptions.config.secret) answers.remember(answer)
      else await answers.keep(answer)
    } catch (error) {
      logger.error({ error, path: pathOf(request.url), requestId: request.id }, 'an answer is known until the server ends')
    } finally {
      underWay.delete(key)
    }
  })
}

function keyOf({ headers, method, url, token }: FastifyRequest): string | undefined {
  const key = headers['idempotency-key']
  return typeof key === 'string' && changing.has(method) ? `${token?.name} ${method} ${url} ${key}` : undefined
}

function headersOf(reply: FastifyReply): Record<string, string> {
  const found: Record<string, string> = {}
  for (const name of ['content-type', 'location']) if (reply.hasHeader(name)) found[name] = String(reply.getHeader(name))
  return found
}

function bodyHash(body: unknown): string {
  return createHash('sha256')
    .update(Buffer.isBuffer(body) ? body : JSON.stringify(body ?? null))
    .digest('hex')
}
