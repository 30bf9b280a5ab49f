import { z } from 'zod'
import type { Operation } from '../operations.ts'
import type { RepriseServer } from '../server.ts'
import { iso } from '../views.ts'
import { problems } from './problem.ts'
import type { App } from './typed-app.ts'

export const operationView = z.object({
  id: z.string(),
  kind: z.enum(['promote', 'rollback', 'backup']),
  job: z.string().nullable().describe('null: it is of the whole data directory'),
  version: z.number().nullable(),
  state: z.enum(['running', 'done', 'failed']),
  startedAt: z.string(),
  endedAt: z.string().nullable(),
  result: z.unknown(),
  error: z
    .object({ code: z.string(), message: z.string(), details: z.record(z.string(), z.unknown()), fix: z.string().optional() })
    .nullable(),
})

export function operationRoutes(app: App, server: RepriseServer): void {
  app.get(
    '/api/v1/operations',
    {
      schema: {
        summary: 'What was asked for since the server began and takes a while, newest first',
        querystring: z.strictObject({
          job: z.string().max(249).optional().describe('Default: of all jobs'),
          limit: z.coerce.number().int().min(1).max(1000).default(50),
        }),
        response: { 200: z.object({ items: z.array(operationView) }), ...problems },
      },
    },
    async ({ query }) => ({ items: server.operations.newest(query.limit, query.job).map(viewOfOperation) }),
  )
  app.get(
    '/api/v1/operations/:id',
    {
      schema: {
        summary: 'Something that takes a while',
        params: z.strictObject({ id: z.string().max(100) }),
        response: { 200: operationView, ...problems },
      },
    },
    async ({ params }) => viewOfOperation(server.operations.get(params.id)),
  )
}

export function viewOfOperation({ id, kind, of, state, startedAt, endedAt, result, error }: Operation): z.infer<typeof operationView> {
  return {
    id,
    kind,
    job: of?.job ?? null,
    version: of?.version ?? null,
    state,
    startedAt: iso(startedAt),
    endedAt: endedAt === undefined ? null : iso(endedAt),
    result: result ?? null,
    error: error === undefined ? null : { ...error, fix: error.fix },
  }
}
