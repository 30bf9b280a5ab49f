import type { FastifyInstance, FastifyRequest } from 'fastify'
import { assert } from '../../../engine/assert.ts'
import { StreamError } from '../../../engine/errors.ts'
import type { RepriseServer } from '../server.ts'
import type { Scope, Token } from '../tokens.ts'
import { FailedGuesses } from './failed-guesses.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may call the route; `open`: anybody. Routes that only read need not say it: viewer. */
    scope?: Scope | 'open'
  }
  interface FastifyRequest {
    /** Undefined: no token was needed, and none was sent. */
    token: Token | undefined
  }
}

/** Lets in who may call a route. A route that changes something and does not say who may is a mistake of ours, found at the start. */
export function checkPermissions(app: FastifyInstance, server: RepriseServer): void {
  const guesses = new FailedGuesses()
  app.decorateRequest('token', undefined)
  app.addHook('onRoute', (route) => {
    const reads = [route.method].flat().every((method) => method === 'GET' || method === 'HEAD')
    assert(reads || route.config?.scope !== undefined, () => `${String(route.method)} ${route.url} does not say who may call it`)
    route.config = { scope: 'viewer', ...route.config }
  })
  app.addHook('onRequest', async (request) => {
    const scope = request.routeOptions.config.scope ?? 'viewer'
    if (scope === 'open') return
    const sent = bearer(request)
    if (sent === undefined && !server.needsTokens) return
    const token = sent === undefined ? undefined : server.tokens.find(sent)
    if (token === undefined) {
      const seconds = guesses.failed(request.ip)
      if (seconds > 0) throw new StreamError('TOO_MANY_GUESSES', { seconds }, { fix: 'send a token that is valid' })
      const reason = sent === undefined ? 'no token was sent' : 'the token is unknown, revoked or expired'
      throw new StreamError(
        'UNAUTHENTICATED',
        { reason },
        { fix: 'Authorization: Bearer rep_…; at the command line --token-file or REPRISE_TOKEN' },
      )
    }
    request.token = token
    demand(token, scope)
  })
}

/** Errors: FORBIDDEN. @param token undefined: none was needed. */
export function demand(token: Token | undefined, scope: Scope): void {
  if (token === undefined || scope === 'viewer' || token.scopes.includes(scope) || token.scopes.includes('admin')) return
  throw new StreamError(
    'FORBIDDEN',
    { token: token.name, scopes: token.scopes, needed: scope },
    { fix: `ask an admin for a token with the scope ${scope}` },
  )
}

function bearer({ headers }: FastifyRequest): string | undefined {
  const { authorization } = headers
  // What is no token is one that nobody has.
  return authorization === undefined ? undefined : (/^Bearer +(\S+)$/i.exec(authorization)?.[1] ?? '')
}
