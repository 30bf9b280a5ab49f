import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'

/** The app as routes see it: bodies, parameters and answers have the types of their schemas. */
export type App = ReturnType<typeof withTypes>

export function withTypes(app: FastifyInstance) {
  return app.withTypeProvider<ZodTypeProvider>()
}

/** For the audit log: the token, which is who it is, and as the client names itself. */
export function whoAsks({ headers, token }: FastifyRequest): string {
  const { 'x-reprise-user': user } = headers
  const named = typeof user === 'string' ? user.slice(0, 100) : undefined
  if (token === undefined) return named ?? 'anonymous'
  return named === undefined ? `token ${token.name}` : `${named} (token ${token.name})`
}
