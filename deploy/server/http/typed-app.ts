import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'

/** The app as routes see it: bodies, parameters and answers have the types of their schemas. */
export type App = ReturnType<typeof withTypes>

export function withTypes(app: FastifyInstance) {
  return app.withTypeProvider<ZodTypeProvider>()
}

/** As the client names itself; for the audit log, not for permission. */
export const whoAsks = ({ headers }: FastifyRequest): string => String(headers['x-reprise-user'] ?? 'anonymous').slice(0, 100)
