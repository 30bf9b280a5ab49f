import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { StreamError } from '../../../engine/errors.ts'
import { changing } from './changing.ts'
import { Refusal } from './problem.ts'

const keysMax = 10_000
/** Of keys and answers: those that came first are forgotten. */
const rememberedBytesMax = 32 << 20
/** After that the first call may have its answer. */
const askAgainSeconds = 1

/** Another call may be let in. */
const denials = new Set([401, 403, 429])

interface Answered {
  readonly body: string
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly payload: unknown
}

/**
 * The same Idempotency-Key again gives the same answer, and does nothing again. While the first call is under way the others are refused:
 * IDEMPOTENCY_KEY_IN_USE. With another body it is always refused.
 */
export function rememberKeys(app: FastifyInstance, bytesMax = rememberedBytesMax): void {
  const answered = new Map<string, Answered>()
  let bytes = 0
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
    const before = answered.get(key)
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
    underWay.delete(key)
    if (reply.statusCode >= 500 || denials.has(reply.statusCode)) return
    const answer = { body, status: reply.statusCode, headers: headersOf(reply), payload }
    answered.set(key, answer)
    bytes += sizeOf(key, answer)
    for (const [oldest, forgotten] of answered) {
      if (answered.size <= keysMax && bytes <= bytesMax) return
      answered.delete(oldest)
      bytes -= sizeOf(oldest, forgotten)
    }
  })
}

function sizeOf(key: string, { payload }: Answered): number {
  return key.length + (typeof payload === 'string' ? payload.length : 0)
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
