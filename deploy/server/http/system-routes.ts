import { z } from 'zod'
import { packageVersion } from '../../package-version.ts'
import type { RepriseServer } from '../server.ts'
import type { App } from './typed-app.ts'

export function systemRoutes(app: App, server: RepriseServer): void {
  const text = { hide: true } as const
  app.get('/livez', { schema: text, config: { scope: 'open' } }, async (_, reply) => reply.type('text/plain').send('ok\n'))
  app.get('/readyz', { schema: text, config: { scope: 'open' } }, async (_, reply) => {
    const ready = !server.stopping
    return reply
      .status(ready ? 200 : 503)
      .type('text/plain')
      .send(`[${ready ? '+' : '-'}]log ${ready ? 'ok' : 'closing'}\n`)
  })
  app.get('/metrics', { schema: text }, async (_, reply) => {
    server.metrics.set('reprise_build_info', { version: packageVersion(), node_version: process.version }, 1)
    return reply.type('text/plain; version=0.0.4; charset=utf-8').send(await server.metrics.text())
  })
  app.get('/openapi.json', { schema: text }, async () => (app as unknown as { swagger(): object }).swagger())
  app.get(
    '/api/v1/audit',
    {
      config: { scope: 'admin' },
      schema: {
        summary: 'Calls that were to change something, newest first',
        querystring: z.strictObject({ limit: z.coerce.number().int().min(1).max(1000).default(50) }),
      },
    },
    async ({ query }) => ({ items: await server.audit.newest(query.limit) }),
  )
}
