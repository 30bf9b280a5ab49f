import path from 'node:path'
import { z } from 'zod'
import { StreamError } from '../../../engine/errors.ts'
import type { RepriseServer } from '../server.ts'
import { operationView, viewOfOperation } from './operation-routes.ts'
import { problems } from './problem.ts'
import type { App } from './typed-app.ts'

export function backupRoutes(app: App, server: RepriseServer): void {
  app.post(
    '/api/v1/backups',
    {
      config: { scope: 'admin' },
      schema: {
        summary: 'Copy the data directory, as of one point, to another directory of the machine of the server, while all goes on',
        body: z.strictObject({ to: z.string().min(1).max(4000).describe('Absolute, and not there yet or empty') }),
        response: { 202: operationView, ...problems },
      },
    },
    async (request, reply) => {
      const { to } = request.body
      if (!path.isAbsolute(to))
        throw new StreamError('REQUEST_INVALID', { reason: `${to} is not absolute` }, { fix: 'begin it with the root' })
      await server.checkBackupTarget(to)
      const operation = server.operations.start('backup', undefined, async () => ({ directory: to, bytes: await server.backup(to) }))
      return reply.status(202).header('location', `/api/v1/operations/${operation.id}`).send(viewOfOperation(operation))
    },
  )
}
