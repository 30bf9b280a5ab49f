import { z } from 'zod'
import { inspectBundle } from '../inspect-bundle.ts'
import type { RepriseServer } from '../server.ts'
import { versionView, viewOfVersion } from '../views.ts'
import { fromRequest, planned } from './from-request.ts'
import { askedOf, ofJob, reason, versionNumber } from './job-requests.ts'
import { policyRequest } from './policy-request.ts'
import { problems } from './problem.ts'
import { limitsOf, rateRequest } from './rate-request.ts'
import { type App, whoAsks } from './typed-app.ts'

export function replayRoutes(app: App, server: RepriseServer): void {
  app.post(
    '/api/v1/jobs/:job/replays',
    {
      config: { scope: 'operator' },
      schema: {
        summary: 'Compute anew what a version computes: the same code as a new version, beside the one that publishes',
        params: ofJob,
        body: z.strictObject({
          version: versionNumber.optional().describe('Whose code; default: the active one'),
          from: fromRequest.default({ type: 'zero' }),
          promote: z.enum(['manual', 'auto']).default('manual'),
          policy: policyRequest,
          rate: rateRequest,
          reason,
        }),
        response: { 201: versionView, ...problems },
      },
    },
    async (request, reply) => {
      const { body } = request
      const controller = server.known(request.params.job)
      const { sha256, parallelism } = controller.version(body.version ?? controller.control.owner!)
      const inspected = await inspectBundle(await server.bundles.get(sha256))
      const { starts } = await planned(server, inspected, {
        from: body.from,
        promote: body.promote,
        allowSchemaChange: false,
        createTopics: false,
      })
      const { version } = await controller.verbs.register(inspected, sha256, parallelism, {
        asked: askedOf(whoAsks(request), body.reason),
        promote: body.promote,
        policy: body.policy,
        rate: body.rate && limitsOf(body.rate),
        starts,
        anew: true,
      })
      return reply
        .status(201)
        .header('location', `/api/v1/jobs/${controller.job}/versions/${version}`)
        .send(viewOfVersion(controller, version))
    },
  )
}
