import { z } from 'zod'
import type { RepriseServer } from '../server.ts'
import { jobView, partitionView, versionView, viewOfJob, viewOfVersion } from '../views.ts'
import { changeRoutes } from './change-routes.ts'
import { cutOverRoutes } from './cut-over-routes.ts'
import { deadLetterRoutes } from './dead-letter-routes.ts'
import { deployRoutes } from './deploy-routes.ts'
import { ofJob } from './job-requests.ts'
import { outputRoutes } from './output-routes.ts'
import { problems } from './problem.ts'
import { replayRoutes } from './replay-routes.ts'
import type { App } from './typed-app.ts'

export function jobRoutes(app: App, server: RepriseServer): void {
  app.get(
    '/api/v1/jobs',
    { schema: { summary: 'All jobs', response: { 200: z.object({ items: z.array(jobView) }), ...problems } } },
    async () => ({ items: server.jobs.map(viewOfJob) }),
  )
  app.get(
    '/api/v1/jobs/:job',
    { schema: { summary: 'One job with its versions', params: ofJob, response: { 200: jobView, ...problems } } },
    async ({ params }) => viewOfJob(server.known(params.job)),
  )
  app.get(
    '/api/v1/jobs/:job/versions',
    {
      schema: {
        summary: 'The versions of a job, newest first; also those that are no more',
        params: ofJob,
        response: { 200: z.object({ items: z.array(versionView) }), ...problems },
      },
    },
    async ({ params }) => ({ items: viewOfJob(server.known(params.job)).versions }),
  )
  app.get(
    '/api/v1/jobs/:job/versions/:version',
    {
      schema: {
        summary: 'One version',
        params: ofJob.extend({ version: z.coerce.number().int().positive() }),
        response: { 200: versionView, ...problems },
      },
    },
    async ({ params }) => viewOfVersion(server.known(params.job), params.version),
  )
  app.get(
    '/api/v1/jobs/:job/lag',
    {
      schema: {
        summary: 'What waits for each version that is not given up or retired, by partition; also for one that stopped',
        params: ofJob,
        response: { 200: z.object({ items: z.array(partitionView.extend({ version: z.number() })) }), ...problems },
      },
    },
    async ({ params }) => ({
      items: viewOfJob(server.known(params.job)).versions.flatMap(({ version, partitions }) =>
        partitions.map((one) => ({ version, ...one })),
      ),
    }),
  )
  app.get(
    '/api/v1/jobs/:job/topology',
    {
      schema: {
        summary: 'What a version reads, does, keeps and writes, as `reprise describe --json` says it',
        params: ofJob,
        querystring: z.strictObject({ version: z.coerce.number().int().positive().optional().describe('Default: the active one') }),
        response: {
          200: z.object({ job: z.string(), sha256: z.string(), nodes: z.array(z.looseObject({ name: z.string() })) }),
          ...problems,
        },
      },
    },
    async ({ params, query }) => {
      const controller = server.known(params.job)
      const { version } = controller.version(query.version ?? controller.control.owner!)
      const { described } = await controller.code(version)
      return { ...described, nodes: described.nodes.map((node) => ({ ...node })) }
    },
  )
  deployRoutes(app, server)
  changeRoutes(app, server)
  cutOverRoutes(app, server)
  replayRoutes(app, server)
  deadLetterRoutes(app, server)
  outputRoutes(app, server)
}
