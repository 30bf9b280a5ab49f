import { z } from 'zod'
import type { RepriseServer } from '../server.ts'
import { scopes, type Token } from '../tokens.ts'
import { iso } from '../views.ts'
import { problems } from './problem.ts'
import { type App, whoAsks } from './typed-app.ts'

const tokenName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'letters, digits, dots, dashes and underscores, 64 at most')
  .describe('Shows in the audit log')

const tokenView = z.object({
  name: z.string(),
  scopes: z.array(z.enum(scopes)),
  createdAt: z.string(),
  by: z.string(),
  expiresAt: z.string().nullable().describe('null: never'),
  valid: z.boolean(),
})

export function tokenRoutes(app: App, server: RepriseServer): void {
  const config = { scope: 'admin' } as const
  const { tokens } = server
  const viewOf = (token: Token): z.infer<typeof tokenView> => ({
    name: token.name,
    scopes: [...token.scopes],
    createdAt: iso(token.createdAt),
    by: token.by,
    expiresAt: token.expiresAt === undefined ? null : iso(token.expiresAt),
    valid: tokens.isValid(token),
  })
  app.get(
    '/api/v1/tokens',
    {
      config,
      schema: { summary: 'All tokens, by name; not the secrets', response: { 200: z.object({ items: z.array(tokenView) }), ...problems } },
    },
    async () => ({ items: tokens.all().map(viewOf) }),
  )
  app.post(
    '/api/v1/tokens',
    {
      config: { ...config, secret: true },
      schema: {
        summary: 'Make a token; the answer is the only place it is ever shown in',
        body: z.strictObject({
          name: tokenName,
          scopes: z.array(z.enum(scopes)).min(1),
          expiresInMs: z
            .number()
            .int()
            .positive()
            .max(10 * 365 * 86_400_000)
            .optional()
            .describe('Default: never'),
        }),
        response: { 201: z.object({ token: z.string(), ...tokenView.shape }), ...problems },
      },
    },
    async (request, reply) => {
      const { name, scopes, expiresInMs } = request.body
      const expiresAt = expiresInMs === undefined ? undefined : Date.now() + expiresInMs
      const token = await tokens.create({ name, scopes, expiresAt }, whoAsks(request))
      return reply.status(201).send({ token, ...viewOf(tokens.find(token)!) })
    },
  )
  app.delete(
    '/api/v1/tokens/:name',
    {
      config,
      schema: {
        summary: 'No longer valid, at once',
        params: z.strictObject({ name: tokenName }),
        response: { 200: z.object({ name: z.string() }), ...problems },
      },
    },
    async (request) => {
      await tokens.revoke(request.params.name, whoAsks(request))
      return { name: request.params.name }
    },
  )
}
