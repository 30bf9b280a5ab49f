import { z } from 'zod'
import { packageVersion } from '../../package-version.ts'
import type { RepriseServer } from '../server.ts'
import { problems } from './problem.ts'
import type { App } from './typed-app.ts'

const auditRow = z.object({
  at: z.string(),
  by: z.string(),
  method: z.string(),
  path: z.string(),
  job: z.string().optional().describe('What it was about, if it was about a job'),
  version: z.number().optional().describe('The one asked for, or the one the server took'),
  status: z.number(),
  requestId: z.string(),
})

export function systemRoutes(app: App, server: RepriseServer): void {
  const config = { scope: 'open' } as const
  const text = (description: string) => ({ description, content: { 'text/plain': { schema: z.string() } } })
  const answers = { 200: text('It does'), ...problems }
  // The second name is for tools that know no other.
  for (const [url, summary] of [
    ['/livez', 'Whether the process answers'],
    ['/healthz', 'The same as /livez'],
  ] as const)
    app.get(url, { config, schema: { summary, response: answers } }, async (_, reply) => reply.type('text/plain').send('ok\n'))
  const ready = { 200: text('It takes calls'), 503: text('It is stopping'), ...problems }
  app.get('/readyz', { config, schema: { summary: 'Whether it takes calls that change something', response: ready } }, async (_, reply) => {
    const ready = !server.stopping
    return reply
      .status(ready ? 200 : 503)
      .type('text/plain')
      .send(`[${ready ? '+' : '-'}]log ${ready ? 'ok' : 'closing'}\n`)
  })
  const metrics = { summary: 'Metrics for Prometheus', response: { 200: text('Each is explained in docs/metrics.md'), ...problems } }
  app.get('/metrics', { schema: metrics }, async (_, reply) => {
    server.metrics.set('reprise_build_info', { version: packageVersion(), node_version: process.version }, 1)
    await server.lookAtVersions()
    return reply.type('text/plain; version=0.0.4; charset=utf-8').send(await server.metrics.text())
  })
  app.get('/openapi.json', { schema: { hide: true } }, async () => (app as unknown as { swagger(): object }).swagger())
  app.get(
    '/api/v1/audit',
    {
      config: { scope: 'admin' },
      schema: {
        summary: 'Calls that were to change something, newest first',
        querystring: z.strictObject({ limit: z.coerce.number().int().min(1).max(1000).default(50) }),
        response: { 200: z.object({ items: z.array(auditRow) }), ...problems },
      },
    },
    async ({ query }) => ({ items: await server.audit.newest(query.limit) }),
  )
}
