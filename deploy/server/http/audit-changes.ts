import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { RepriseServer } from '../server.ts'
import { changing } from './changing.ts'
import { recordsPath } from './content-types.ts'
import { versionNumber } from './job-requests.ts'
import { pathOf } from './problem.ts'
import { whoAsks } from './typed-app.ts'

const jobNamed = z.looseObject({ job: z.string() })
const versionNamed = z.looseObject({ version: versionNumber })

/** Each call that is to change something has a row in the audit log before it is answered. */
export function auditChanges(app: FastifyInstance, server: RepriseServer): void {
  const answers = new WeakMap<FastifyRequest, unknown>()
  app.addHook('preSerialization', async (request, _, answer) => {
    if (changing.has(request.method)) answers.set(request, answer)
    return answer
  })
  app.addHook('onSend', async (request, reply) => {
    if (!audited(request, reply.statusCode)) return
    const { method, id } = request
    const path = pathOf(request.url)
    try {
      const about = whatItIsAbout(request, answers.get(request))
      await server.audit.add({ by: whoAsks(request), method, path, ...about, status: reply.statusCode, requestId: id })
    } catch (error) {
      server.logger.error({ error, path, requestId: id }, 'a call is missing in the audit log')
    }
  })
}

const denials = new Set([401, 403, 421])

/** Records of topics are no decisions: they have their own place. That somebody was not let in is told of all calls. */
function audited({ method, routeOptions }: FastifyRequest, status: number): boolean {
  return changing.has(method) && status !== 429 && (routeOptions.url !== recordsPath || denials.has(status))
}

/** As the answer names them: the version may have been left to the server. One that was refused is about what was asked for. */
function whatItIsAbout({ params, body }: FastifyRequest, answer: unknown): { job?: string; version?: number } {
  const { job } = jobNamed.safeParse(answer).data ?? jobNamed.safeParse(params).data ?? {}
  const { version } = versionNamed.safeParse(answer).data ?? versionNamed.safeParse(body).data ?? {}
  return { ...(job === undefined ? {} : { job }), ...(version === undefined ? {} : { version }) }
}
